import { isProvisioningError, type Lease } from "@holdfast/core";
import type { LeaseOffer } from "../world/lease-offer.ts";
import { leasesOf } from "../world/leases-of.ts";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** Leases that Partition must receive. */
interface Due {
  readonly leases: readonly Lease[];
  /** The tick they belong to. */
  seqNo: number;
  hash: string | undefined;
  readonly offer?: LeaseOffer | undefined;
  /** Monotonic milliseconds at which Placement returned them after it had been given up; undefined otherwise. */
  readonly lateAt?: number | undefined;
}

/**
 * Placement receives a tick after Partition has it, and its leases reach Partition before either port receives anything
 * later, whether Placement returned them or published them itself. Leases of a tick other than the current one are
 * refused. A port that was given up is not waited for; then the leases are published at the first tick that both ports
 * have. Therefore Partition may begin a later tick at the very moment at which Placement, which was given up, returns
 * its leases: at that moment, Partition's call has already been decided.
 */
export class LeasesInTick implements Invariant {
  readonly name = "leases-in-tick";
  readonly requirements = "R3.3 R3.6";
  readonly #context: InvariantContext;
  #due: Due | undefined;
  #beforeOffer: Due | undefined;
  #offers: LeaseOffer[] = [];
  #partitionAt = 0;
  readonly #hashes = new Map<number, string>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#due = this.#beforeOffer = undefined;
    this.#offers = [];
    this.#partitionAt = 0;
    this.#hashes.clear();
  }

  leasesOffered(offer: LeaseOffer): void {
    this.#offers.push(offer);
    this.#settleOffers();
    this.#beforeOffer = this.#due;
    this.#due = { leases: offer.leases, seqNo: offer.seqNo, hash: this.#hashes.get(offer.seqNo), offer };
  }

  callBegan({ call, seqNo }: PortRecord): void {
    if (call.port === "remoting") return;
    this.#settleOffers();
    const { report, ports } = this.#context;
    const due = this.#due;
    if (call.method === "publishLeases") {
      const { leases, snapshotHash } = call.leases;
      if (due?.seqNo !== seqNo)
        return report(`leases of ${seqNo} are published when those of ${due?.seqNo} are due`);
      if (seqNo !== this.#partitionAt)
        report(`leases of ${seqNo} are published while Partition is at ${this.#partitionAt}`);
      if (snapshotHash !== due.hash) report(`the leases of ${seqNo} name another snapshot`);
      if (JSON.stringify(leases) !== JSON.stringify(due.leases))
        report(`the leases of ${seqNo} differ from those of Placement`);
      return;
    }
    if (call.method === "applySnapshot") this.#hashes.set(seqNo, call.tick.snapshot.hash);
    const isExcused = ports.isExcused("partition");
    const isLate = due?.lateAt !== undefined && due.lateAt === this.#now();
    if (due !== undefined && due.seqNo === this.#partitionAt && seqNo > due.seqNo && !isExcused && !isLate) {
      if (call.method === "applySnapshot")
        report(`${call.port} receives ${seqNo} before the leases of ${due.seqNo}`);
    }
    if (
      call.port === "placement" &&
      call.method === "applySnapshot" &&
      this.#partitionAt < seqNo &&
      !isExcused
    )
      report(`Placement receives tick ${seqNo} while Partition is at ${this.#partitionAt}`);
  }

  callEnded({ call, seqNo, outcome }: PortRecord): void {
    if (outcome !== "done") return;
    this.#settleOffers();
    if (call.method === "publishLeases") {
      if (
        this.#due?.seqNo === seqNo &&
        JSON.stringify(this.#due.leases) === JSON.stringify(call.leases.leases)
      )
        this.#due = undefined;
    }
    if (call.method !== "applySnapshot") return;
    if (call.port === "partition") this.#partitionAt = seqNo;
    else {
      const leases = leasesOf(call.tick);
      const { hash } = call.tick.snapshot;
      const lateAt = this.#context.ports.isExcused("placement") ? this.#now() : undefined;
      if (leases !== undefined) this.#due = { leases, seqNo, hash, lateAt };
      else if (this.#due !== undefined) this.#due = { ...this.#due, seqNo, hash };
    }
  }

  stepDone(): void {
    this.#settleOffers();
  }

  healed(_life: Life): void {
    this.#settleOffers();
    const { report } = this.#context;
    if (this.#due !== undefined) report(`the leases of ${this.#due.seqNo} were never published`);
    for (const { outcome, seqNo } of this.#offers)
      if (outcome === "pending") report(`Placement still waits for its leases of ${seqNo} to be published`);
  }

  #now(): number {
    return this.#context.world.clock.monotonic();
  }

  /** A refusal withdraws the offered leases, and the leases that were due before are due again. */
  #settleOffers(): void {
    const { report } = this.#context;
    this.#offers = this.#offers.filter(({ outcome }) => outcome === "pending");
    const offer = this.#due?.offer;
    if (offer === undefined || offer.outcome !== "refused" || !isProvisioningError(offer.error)) return;
    const { code, details } = offer.error;
    if (code === "VALIDATION_MALFORMED")
      report(`leases of ${offer.seqNo} were refused as of an unknown tick`);
    if (code !== "ORDER_STALE_SEQUENCE") return;
    if (details["received"] !== offer.seqNo || Number(details["last"]) <= offer.seqNo)
      report(`leases of ${offer.seqNo} were refused as older than ${String(details["last"])}`);
    this.#due = this.#beforeOffer;
  }
}
