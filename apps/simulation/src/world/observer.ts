import type { TopologyEvent } from "@holdfast/core";
import type { StopReport } from "@holdfast/provisioning";
import type { LeaseOffer } from "./lease-offer.ts";
import type { Life } from "./life.ts";
import type { PortRecord } from "./port-record.ts";
import type { LoadRecord, SaveRecord } from "./snapshot-record.ts";

/** Observes a run at the moment of each event. Killed lives are not reported any more. */
export interface Observer {
  lifeBegan?(life: Life): void;
  /** Called by the hub after its state is set. */
  event?(event: TopologyEvent, life: Life): void;
  /** Called before the port does anything. */
  callBegan?(record: PortRecord): void;
  /** Before the service learns of the outcome. */
  callEnded?(record: PortRecord): void;
  /** A step is done, and nothing is in progress except waits for time or for other parts. The life is up. */
  stepDone?(life: Life): void;
  /** Something has happened, including all of its immediate consequences. The life is up and not stopping. */
  instantDone?(life: Life): void;
  /** The last known good snapshot was read, or could not be. */
  loaded?(record: LoadRecord, life: Life): void;
  /** Called before anything is written. */
  saveBegan?(record: SaveRecord, life: Life): void;
  /** Before the service learns of the outcome. */
  saveEnded?(record: SaveRecord, life: Life): void;
  /** Placement is about to publish leases outside applySnapshot, computed with the tick `seqNo`. */
  leasesOffered?(offer: LeaseOffer, life: Life): void;
  /** The operator has accepted removals; `isAccepted` is what the service answered. */
  /** An operator is about to accept held removals; they take effect within the call. */
  acceptingRemovals?(life: Life): void;
  removalsAccepted?(isAccepted: boolean, life: Life): void;
  /** A different set of providers has come into force; the failover is notified next. */
  setChanged?(life: Life): void;
  /** A stop is about to be requested. */
  stopBegins?(life: Life): void;
  /** A stop has not ended although its deadline and the extra time have passed. */
  stopOverdue?(life: Life): void;
  /** A life was stopped, not killed. */
  lifeStopped?(life: Life, report: StopReport): void;
  /** The time for recovery after the repair of all faults has passed. */
  healed?(life: Life): void;
}
