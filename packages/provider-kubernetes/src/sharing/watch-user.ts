import { EventChannel, type Clock } from "@holdfast/core";
import type { WatchPosition } from "../watch/watch-position.ts";
import type { ObjectView } from "./object-view.ts";

/** What has happened since the user of a shared watch last read. The content of its view may have changed in addition. */
export interface WatchNews {
  /** True when the server has vouched for the content in the meantime. */
  readonly isAlive: boolean;
  /** How far the content has come. */
  readonly position: WatchPosition;
}

export interface WatchUserOptions {
  readonly view: ObjectView;
  /** The longest time between two confirmations that this user needs, in milliseconds. */
  readonly heartbeatMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * One user of a shared watch. News that it has not read are combined, so a slow user costs one pending item and delays no other user.
 * `end` must be called when its signal aborts; after that nothing is delivered, and no timer runs.
 */
export class WatchUser {
  readonly view: ObjectView;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
  readonly news: EventChannel<WatchNews>;
  /** Whether the view has the content of the shared watch. */
  isSynced = false;
  readonly #clock: Clock;
  #timer: Disposable | undefined;
  #timerAt: number | undefined;

  constructor({ view, heartbeatMs, clock, signal }: WatchUserOptions) {
    this.view = view;
    this.heartbeatMs = heartbeatMs;
    this.signal = signal;
    this.#clock = clock;
    this.news = new EventChannel(signal, (last, next) => ({
      isAlive: last.isAlive || next.isAlive,
      position: next.position,
    }));
  }

  /** Reports that the content of the view may have changed, and whether the server has vouched for it. */
  report(news: WatchNews): void {
    this.news.push(news);
    this.#schedule(news.position);
  }

  /** Delivers an error after the news that were not read. */
  fail(error: unknown): void {
    this.#cancelTimer();
    this.news.close({ error });
  }

  /** Stops the user without an error. */
  end(): void {
    this.#cancelTimer();
    void this.news.return();
  }

  /** Calls `settle` of the view at the time that it names. */
  #schedule(position: WatchPosition): void {
    const { settlesAt } = this.view;
    if (settlesAt === this.#timerAt || this.signal.aborted) return;
    this.#cancelTimer();
    if (settlesAt === undefined) return;
    this.#timerAt = settlesAt;
    this.#timer = this.#clock.schedule(Math.max(settlesAt - this.#clock.monotonic(), 0), () => {
      this.#timerAt = undefined;
      this.view.settle(this.#clock.monotonic());
      this.report({ isAlive: false, position });
    });
  }

  #cancelTimer(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#timerAt = undefined;
  }
}
