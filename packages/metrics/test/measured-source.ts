import { ScriptedSource } from "@holdfast/testing";
import {
  createClusterNode,
  MemberSet,
  type Clock,
  type ClusterNode,
  type ProviderTermination,
  type SnapshotParts,
  type SwitchReason,
} from "@holdfast/core";

/** A log in the words of the metrics. */
export class MeasuredSource extends ScriptedSource {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super(clock);
    this.#clock = clock;
  }

  /** What a provider saw `latencyMs` ago. */
  snapshot(latencyMs: number, parts: Omit<SnapshotParts, "observedAt">): void {
    this.publish({ ...parts, observedAt: this.#clock.now() - latencyMs });
  }

  /** The newest snapshot again, with other nodes blocked. */
  block(...blockedNodes: readonly string[]): void {
    const { snapshot } = this.state;
    if (snapshot !== undefined) this.publish({ ...snapshot, blockedNodes });
  }

  switchProvider(from: string, to: string, reason: SwitchReason): void {
    this.append({ kind: "provider_changed", from, to, reason });
  }

  terminate(providerId: string, reason: ProviderTermination): void {
    this.append({ kind: "stream_terminated", providerId, reason });
  }
}

export function membersOf(...ids: readonly string[]): MemberSet {
  return MemberSet.from(ids.map((id): ClusterNode => createClusterNode({ id, host: "h", port: 1 })));
}
