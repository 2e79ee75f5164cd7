import { sleep, type ProviderContext } from "@holdfast/core";

export interface WatchPaceOptions {
  readonly context: ProviderContext;
  /** The longest watch that the parameters allow, in milliseconds. */
  readonly watchTimeoutMs: number;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

const FIRST_GAP_MS = 100;
const MAX_GAP_MS = 1_000;

/** How long watch requests and the waits between requests last. Everything is random within its limits: watchers must not ask together. */
export class WatchPace {
  readonly #options: WatchPaceOptions;

  constructor(options: WatchPaceOptions) {
    this.#options = options;
  }

  /**
   * The length of one watch request, in seconds. Bookmarks of an idle watch come once a minute, but a sign of life is due every
   * `heartbeatMs`: a watch is short enough for its end to be that sign.
   */
  watchSeconds(): number {
    const { context, watchTimeoutMs } = this.#options;
    const wantedMs = context.heartbeatMs * (0.6 + 0.3 * context.random());
    return Math.max(1, Math.floor(Math.min(wantedMs, watchTimeoutMs) / 1_000));
  }

  /** A random wait, for after something that affects all watchers of a server. */
  spread(withinMs: number): Promise<void> {
    const { context, signal } = this.#options;
    return sleep(context.random() * withinMs, { clock: context.clock, signal });
  }

  /** Waits longer with each attempt in a row, at most a second or a third of `heartbeatMs` (full jitter). */
  pause(inRow: number): Promise<void> {
    const ceilingMs = Math.min(
      FIRST_GAP_MS * 2 ** (inRow - 1),
      MAX_GAP_MS,
      this.#options.context.heartbeatMs / 3,
    );
    return this.spread(ceilingMs);
  }
}
