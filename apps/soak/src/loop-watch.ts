import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 10;

/** How late timers fired, in milliseconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Watches the event loop of this process but for what the watchers themselves cost. */
export class LoopWatch {
  readonly #monitor: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({
    resolution: RESOLUTION_MS,
  });

  constructor() {
    this.#monitor.enable();
  }

  /** Since the last call; what `work` takes does not count. */
  readAround<T>(work: () => T): { readonly delay: LoopDelay; readonly value: T } {
    const monitor = this.#monitor;
    const delay = {
      p50: toDelayMs(monitor.percentile(50)),
      p99: toDelayMs(monitor.percentile(99)),
      max: toDelayMs(monitor.max),
    };
    monitor.disable();
    const value = work();
    monitor.reset();
    monitor.enable();
    return { delay, value };
  }

  stop(): void {
    this.#monitor.disable();
  }
}

/** The monitor records, in nanoseconds, the whole time between two firings of a 10 ms timer. */
function toDelayMs(interval: number): number {
  return Math.max(interval / 1e6 - RESOLUTION_MS, 0);
}
