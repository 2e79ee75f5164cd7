import type {
  DisabledReason,
  NodeId,
  ProviderHealthReport,
  RemoteNodeReport,
  TopologyLog,
} from "@holdfast/core";
import type { NodeExplanation } from "@holdfast/provisioning";

/** One configured provider, as monitoring sees it. */
export interface ProviderView extends ProviderHealthReport {
  readonly kind: string;
  readonly priority: number;
  /** Present when it is listed but never activated. */
  readonly disabled?: DisabledReason | undefined;
}

/** All the HTTP server knows of the service behind it. */
export interface ServerView {
  readonly log: TopologyLog;
  /** Highest priority first. */
  providers(): readonly ProviderView[];
  remoteNodes(): Iterable<RemoteNodeReport>;
  explain(nodeId: NodeId): NodeExplanation;
  /** Prometheus text. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}
