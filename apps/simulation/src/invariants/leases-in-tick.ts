import type { RecordedTick } from "@holdfast/conformance";
import { leasesOf } from "../world/leases-of.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** Placement gets a tick when Partition has it, and its leases reach Partition before either sees anything later. */
export class LeasesInTick implements Invariant {
  readonly name = "leases-in-tick";
  readonly requirements = "R3.3";
  readonly #context: InvariantContext;
  /** The tick whose leases Partition has to get now. */
  #owed: RecordedTick | undefined;
  #partitionAt = 0;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#owed = undefined;
    this.#partitionAt = 0;
  }

  callBegan({ call, seqNo }: PortRecord): void {
    if (call.port === "remoting") return;
    const { report } = this.#context;
    const owed = this.#owed;
    if (call.method === "publishLeases") {
      const { leases, snapshotHash } = call.leases;
      if (owed?.seqNo !== seqNo)
        return report(`leases of ${seqNo} come when those of ${owed?.seqNo} are due`);
      if (snapshotHash !== owed.snapshot.hash) report(`the leases of ${seqNo} name another snapshot`);
      if (JSON.stringify(leases) !== JSON.stringify(leasesOf(owed)))
        report(`the leases of ${seqNo} are not those that Placement gave`);
      return;
    }
    if (owed !== undefined)
      report(`${call.port}.${call.method} ${seqNo} comes before the leases of ${owed.seqNo}`);
    if (call.port === "placement" && call.method === "applySnapshot" && this.#partitionAt !== seqNo)
      report(`Placement is given tick ${seqNo}, and Partition is at ${this.#partitionAt}`);
  }

  callEnded({ call, seqNo, outcome }: PortRecord): void {
    if (outcome !== "done") return;
    if (call.method === "publishLeases") this.#owed = undefined;
    if (call.method !== "applySnapshot") return;
    if (call.port === "partition") this.#partitionAt = seqNo;
    else if (leasesOf(call.tick) !== undefined) this.#owed = call.tick;
  }

  healed(): void {
    if (this.#owed !== undefined) this.#context.report(`the leases of ${this.#owed.seqNo} were never told`);
  }
}
