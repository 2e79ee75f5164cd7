import { whenAborted } from "../time/abort.ts";
import type { Clock } from "../time/clock.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import type { TopologyEvent } from "../contracts/log/topology-event.ts";
import type { LogPosition, TopologyLog } from "../contracts/log/topology-reader.ts";
import { Wakeup } from "../time/wakeup.ts";

export interface FollowOptions {
  readonly log: TopologyLog;
  readonly from: LogPosition;
  /** Ends the iteration after the events that the log already holds. @defaultValue never */
  readonly signal?: AbortSignal | undefined;
}

export interface FollowIdleOptions extends FollowOptions {
  readonly clock: Clock;
  /** Yields `"idle"` whenever no event was appended for this long, in milliseconds. */
  readonly idleMs: number;
}

/**
 * Yields the events after a position: every event once, in order, without a gap, at the pace of the reader. Ends after
 * the event that reports `stopped`. It buffers nothing for a slow reader: one that falls behind the kept events gets
 * `STREAM_EXPIRED`.
 */
export function followLog(options: FollowIdleOptions): AsyncGenerator<TopologyEvent | "idle", void>;
export function followLog(options: FollowOptions): AsyncGenerator<TopologyEvent, void>;
export async function* followLog(
  options: FollowOptions & Partial<FollowIdleOptions>,
): AsyncGenerator<TopologyEvent | "idle", void> {
  const { log, signal } = options;
  let { epoch, seqNo } = options.from;
  const wakeup = new Wakeup();
  using _ = whenAborted(signal, () => wakeup.wake());
  const unsubscribe = log.onEvent(() => wakeup.wake());
  try {
    for (;;) {
      // Reads one event at a time: a longer list would keep events and their snapshots in memory that the log has
      // already dropped.
      const events = log.eventsSince(epoch, seqNo, 1);
      if (events === undefined) {
        throw new ProvisioningError(
          "STREAM_EXPIRED",
          `the log no longer holds the events after ${epoch}:${seqNo}`,
        );
      }
      const [event] = events;
      if (event !== undefined) {
        ({ seqNo } = event);
        yield event;
        continue;
      }
      if (signal?.aborted === true || log.state.status === "stopped") return;
      if (await waitUntilIdle(wakeup, options)) yield "idle";
    }
  } finally {
    unsubscribe();
  }
}

/** Returns true when `idleMs` passed before anything woke the reader. */
async function waitUntilIdle(
  wakeup: Wakeup,
  { clock, idleMs }: Partial<FollowIdleOptions>,
): Promise<boolean> {
  let isIdle = false;
  const onIdle = () => {
    isIdle = true;
    wakeup.wake();
  };
  using _ = idleMs === undefined ? undefined : clock?.schedule(idleMs, onIdle);
  await wakeup.wait();
  return isIdle;
}
