import type {
  DisabledReason,
  NodeId,
  ProviderHealthReport,
  RemoteNodeReport,
  TopologyLog,
} from "@holdfast/core";
import type { NodeExplanation } from "@holdfast/provisioning";

/** One configured provider, for monitoring. */
export interface ProviderView extends ProviderHealthReport {
  readonly kind: string;
  readonly priority: number;
  /** The reason why the provider is listed but never activated; absent otherwise. */
  readonly disabled?: DisabledReason | undefined;
}

/** The part of one topology that the HTTP server can access. */
export interface ServerView {
  readonly log: TopologyLog;
  /** True when `/readyz` waits for the topology. */
  readonly isRequired: boolean;
  /** Highest priority first. */
  providers(): readonly ProviderView[];
  remoteNodes(): Iterable<RemoteNodeReport>;
  explain(nodeId: NodeId): NodeExplanation;
  /** The instance ids of the daemons that the content of the active provider came through; the nearest first. */
  via(): readonly string[];
}
