import { compareDescriptors } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * Some time after all faults were repaired, the topology is current, the provider of highest priority (or the pinned
 * one) is active, and every port is at the newest state.
 */
export class Recovers implements Invariant {
  readonly name = "recovers";
  readonly requirements = "R2.5 R2.6 R3.1 R4.1";
  readonly #context: InvariantContext;
  readonly #acknowledged = new Map<string, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#acknowledged.clear();
  }

  callEnded({ call, seqNo, outcome }: PortRecord): void {
    if (call.method === "applySnapshot" && outcome === "done") this.#acknowledged.set(call.port, seqNo);
  }

  healed(life: Life): void {
    const { report } = this.#context;
    const { status, statusReason, isStale, snapshot, snapshotSeqNo } = life.service.topology.state;
    if ((status !== "ready" && status !== "empty") || isStale)
      return report(`all faults are repaired, but the topology is ${status}: ${statusReason}`);
    const ranked = life.inForce.map(({ descriptor }) => descriptor).sort(compareDescriptors);
    const pinned = ranked.find(({ id }) => id === life.pinned);
    const due = (pinned ?? ranked[0])?.id;
    if (snapshot?.providerId !== due)
      report(`all faults are repaired, but ${snapshot?.providerId} is active, not ${due}`);
    if (snapshot?.revision !== this.#newestRevision(due))
      report(`all faults are repaired, but the content is ${snapshot?.revision}, not the newest`);
    for (const port of ["partition", "placement"]) {
      const at = this.#acknowledged.get(port);
      if (at !== snapshotSeqNo) report(`${port} is at tick ${at}, the topology at ${snapshotSeqNo}`);
    }
    const isPending = life.operations.some(({ outcome }) => outcome === "pending");
    if (isPending) report("all faults are repaired, but a change of the set is still pending");
  }

  #newestRevision(id: string | undefined): string | undefined {
    return [...this.#context.world.backends.values()].find((backend) => backend.id === id)?.revision;
  }
}
