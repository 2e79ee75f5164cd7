import type { TopologyEvent } from "@holdfast/core";
import type { StopReport } from "@holdfast/provisioning";
import type { LeaseOffer } from "./lease-offer.ts";
import type { Life } from "./life.ts";
import type { PortRecord } from "./port-record.ts";
import type { LoadRecord, SaveRecord } from "./snapshot-record.ts";

/** Sees what happens, at the moment it happens. Lives that were killed are not heard of any more. */
export interface Observer {
  lifeBegan?(life: Life): void;
  /** Called by the hub: its state is set. */
  event?(event: TopologyEvent, life: Life): void;
  /** Before the port does anything. */
  callBegan?(record: PortRecord): void;
  /** Before the service learns of the outcome. */
  callEnded?(record: PortRecord): void;
  /** A step is done and nothing is under way but what waits for time or for others. The life is up. */
  stepDone?(life: Life): void;
  /** Something has happened, and whatever follows from it at once has too. The life is up, and not stopping. */
  instantDone?(life: Life): void;
  /** The last known good snapshot was read, or could not be. */
  loaded?(record: LoadRecord, life: Life): void;
  /** Before anything is written. */
  saveBegan?(record: SaveRecord, life: Life): void;
  /** Before the service learns of the outcome. */
  saveEnded?(record: SaveRecord, life: Life): void;
  /** Placement is about to publish leases by itself, computed with the tick `seqNo`. */
  leasesOffered?(offer: LeaseOffer, life: Life): void;
  /** The operator has accepted removals; `isAccepted` is what the service answered. */
  /** An operator is about to accept held removals; they take effect within the call. */
  acceptingRemovals?(life: Life): void;
  removalsAccepted?(isAccepted: boolean, life: Life): void;
  /** Another set of providers has come into force; the fail-over learns of it next. */
  setChanged?(life: Life): void;
  /** A stop is about to be asked for. */
  stopBegins?(life: Life): void;
  /** A stop is not over although its deadline, and what it may take beyond it, are past. */
  stopOverdue?(life: Life): void;
  /** A life was stopped, not killed. */
  lifeStopped?(life: Life, report: StopReport): void;
  /** Everything has been well for long enough. */
  healed?(life: Life): void;
}
