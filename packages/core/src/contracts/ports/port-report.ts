/** How one consumer (the code behind a port) is doing, for monitoring. */
export interface PortReport {
  readonly port: "placement" | "partition" | "remoting";
  /** It did not take what was handed over in time, so nothing waits for it until it has caught up. */
  readonly isBehind: boolean;
  /** The newest tick it has acknowledged; 0 before the first. */
  readonly seqNo: number;
  /** Notices that wait to be delivered to it. */
  readonly waiting: number;
  /** Notices that were given up since the start. */
  readonly parked: number;
  /** Calls that failed since the start, those past their deadline included. */
  readonly failures: number;
  /** Calls past their deadline that have not returned yet. */
  readonly overdue: number;
  /** The call in progress longest, also when it is past its deadline. */
  readonly inProgress?: { readonly call: string; readonly seqNo: number; readonly forMs: number } | undefined;
}
