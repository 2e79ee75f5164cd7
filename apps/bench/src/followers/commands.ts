/** What the benchmark asks the daemon's adapter to do. */
export type DaemonCommand =
  /** Starts to change one member at this interval; 0: stops. */
  | { readonly type: "change"; readonly everyMs: number }
  /** Starts new measurements. */
  | { readonly type: "reset" }
  | { readonly type: "measure" };

export interface DaemonMeasured {
  readonly type: "measured";
  /** Number of changes, and processor time, since the measurements were started. */
  readonly changes: number;
  readonly cpuUs: number;
  /** The longest turn of the event loop, in milliseconds of processor time. */
  readonly longestTurnMs: number;
  /** The delay of the event loop, in milliseconds of real time. */
  readonly delayP99Ms: number;
}

/** What the benchmark asks a process of clients to do. */
export type ClientsCommand =
  /** Opens this number of connections at once, and reports when all of them have the state. */
  | { readonly type: "open"; readonly count: number; readonly url: string }
  | { readonly type: "reset" }
  | { readonly type: "measure" };

export type ClientsReport =
  /** `ms`: from the first connection until all clients have the state. */
  | { readonly type: "opened"; readonly ms: number }
  | {
      readonly type: "measured";
      readonly connected: number;
      /** Events and bytes since the measurements were started, of all clients. */
      readonly events: number;
      readonly bytes: number;
      readonly cpuUs: number;
      /** Number of clients that have received another number of events than the first one. */
      readonly differing: number;
    };

/** What the benchmark asks a process of clients of Consul to do. */
export type WatchersCommand =
  | { readonly type: "watch"; readonly count: number; readonly url: string }
  | { readonly type: "reset" }
  | { readonly type: "measure" };

export interface WatchersReport {
  readonly type: "measured";
  readonly bytes: number;
  readonly responses: number;
  readonly cpuUs: number;
}
