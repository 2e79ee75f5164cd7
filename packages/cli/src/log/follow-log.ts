import {
  ProvisioningError,
  whenAborted,
  type Clock,
  type Epoch,
  type TopologyEvent,
  type TopologySource,
} from "@holdfast/core";

/** A place in the ordered log: everything up to and with `seqNo` is known. */
export interface LogPosition {
  readonly epoch: Epoch;
  readonly seqNo: number;
}

/** The ordered log with its retained tail. */
export interface TopologyLog extends TopologySource {
  /** Undefined when the position is of another epoch or older than what is retained. */
  eventsSince(epoch: Epoch, seqNo: number): readonly TopologyEvent[] | undefined;
}

export interface FollowOptions {
  readonly log: TopologyLog;
  readonly from: LogPosition;
  readonly clock: Clock;
  /** Yields `"idle"` whenever nothing happened for this long, in milliseconds. */
  readonly idleMs: number;
  /** Ends the waiting: what the log already holds is still delivered. */
  readonly signal: AbortSignal;
}

/**
 * The log after a position: every event once, in order, without a gap, as fast as the reader takes them. Nothing is
 * buffered for a slow reader but what the log retains anyway; one that fell behind further gets `STREAM_EXPIRED`.
 */
export async function* followLog(options: FollowOptions): AsyncGenerator<TopologyEvent | "idle", void> {
  const { log, clock, idleMs, signal } = options;
  let { epoch, seqNo } = options.from;
  let wakeUp = Promise.withResolvers<{ readonly isIdle: boolean }>();
  const wake = (isIdle: boolean) => wakeUp.resolve({ isIdle });
  const ending = whenAborted(signal, () => wake(false));
  const unsubscribe = log.onEvent(() => wake(false));
  try {
    for (;;) {
      wakeUp = Promise.withResolvers();
      const events = log.eventsSince(epoch, seqNo);
      if (events === undefined) {
        throw new ProvisioningError(
          "STREAM_EXPIRED",
          `the log no longer holds what follows ${epoch}:${seqNo}`,
        );
      }
      for (const event of events) {
        seqNo = event.seqNo;
        yield event;
      }
      if (events.length > 0) continue;
      if (signal.aborted) return;
      using _ = clock.schedule(idleMs, () => wake(true));
      const { isIdle } = await wakeUp.promise;
      if (isIdle) yield "idle";
    }
  } finally {
    ending[Symbol.dispose]();
    unsubscribe();
  }
}
