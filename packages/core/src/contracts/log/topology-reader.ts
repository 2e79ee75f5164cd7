import type { Epoch } from "./epoch.ts";
import type { TopologyEvent } from "./topology-event.ts";
import type { TopologySource } from "./topology-source.ts";
import type { TopologyState } from "./topology-state.ts";
import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";

/** A position in the ordered log: every event up to and including `seqNo` is known. */
export interface LogPosition {
  readonly epoch: Epoch;
  readonly seqNo: number;
}

/** The ordered log, with access to the newest events, which it keeps. */
export interface TopologyLog extends TopologySource {
  /**
   * Returns the first `limit` events after `seqNo` in order, or all by default. Returns `undefined` when the epoch
   * differs or the next event is no longer kept. An implementation may return more than `limit`.
   */
  eventsSince(epoch: Epoch, seqNo: number, limit?: number): readonly TopologyEvent[] | undefined;
}

export interface ReadOptions {
  /** Ends the wait or the iteration. @defaultValue never */
  readonly signal?: AbortSignal | undefined;
}

export interface EventsOptions extends ReadOptions {
  /** Continue after this position. @defaultValue the position at the time of the call: only later events */
  readonly from?: LogPosition | undefined;
}

/** The read side of a topology, for code that only consumes it. */
export interface TopologyReader extends TopologyLog {
  /**
   * Yields every event once, in order, without a gap. Ends when the signal aborts, after the events that the log
   * already holds, and after the event that reports `stopped`. Rejects with `STREAM_EXPIRED` when the log no longer
   * keeps the next event: start again from `state`.
   */
  events(options?: EventsOptions): AsyncIterable<TopologyEvent>;
  /**
   * Yields the newest snapshot, starting with the current one if there is one. A slow reader skips overtaken snapshots.
   * Ends when the signal aborts and when the topology has stopped.
   */
  snapshots(options?: ReadOptions): AsyncIterable<ProviderSnapshot>;
  /**
   * Resolves with the state as soon as the predicate accepts it; checked now, at every event, and once what happened at that
   * moment has been applied whole. Rejects with
   * `LIFECYCLE_STOPPED` when the topology stops first, or with the signal's reason (`LIFECYCLE_ABORTED`).
   */
  waitFor(predicate: (state: TopologyState) => boolean, options?: ReadOptions): Promise<TopologyState>;
  /**
   * Resolves with the newest snapshot as soon as new work can be based on one: the status is `ready`, or `degraded`, which
   * includes a restored last known good snapshot. Rejects as `waitFor` does.
   */
  ready(options?: ReadOptions): Promise<ProviderSnapshot>;
}
