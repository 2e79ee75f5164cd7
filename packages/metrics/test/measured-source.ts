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

/** A scripted log with short methods for the tests of the metrics. */
export class MeasuredSource extends ScriptedSource {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super(clock);
    this.#clock = clock;
  }

  /** Publishes a snapshot that was observed `latencyMs` ago. */
  snapshot(latencyMs: number, parts: Omit<SnapshotParts, "observedAt">): void {
    this.publish({ ...parts, observedAt: this.#clock.now() - latencyMs });
  }

  /** Publishes the newest snapshot again, with other blocked nodes. */
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
