/** The state of one consumer (the code behind a port), for monitoring. */
export interface PortReport {
  readonly port: "placement" | "partition" | "remoting";
  /** True while the others do not wait for this consumer, because it missed a deadline and has not caught up. */
  readonly isBehind: boolean;
  /** The newest acknowledged tick; 0 before the first. */
  readonly seqNo: number;
  /** Number of notices that wait for delivery. */
  readonly waiting: number;
  /** Number of notices that were parked since the start. */
  readonly parked: number;
  /** Number of failed calls since the start, including those past their deadline. */
  readonly failures: number;
  /** Number of calls past their deadline that have not returned yet. */
  readonly overdue: number;
  /** The call that has been in progress for longest, also past its deadline. */
  readonly inProgress?: { readonly call: string; readonly seqNo: number; readonly forMs: number } | undefined;
}
