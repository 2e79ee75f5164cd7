import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock } from "@holdfast/core";
import { quantile } from "./statistics.ts";

const RESOLUTION_MS = 10;

/** Milliseconds. */
export interface LoopDelay {
  /** How late timers fired, whoever kept the processor busy. */
  readonly late: { readonly p50: number; readonly p99: number; readonly max: number };
  /** How long this thread itself ran between two firings of a timer of 10 ms: other load on the machine does not count. */
  readonly own: { readonly p99: number; readonly max: number };
}

/** Watches the event loop of this process but for what the watchers themselves cost. */
export class LoopWatch {
  readonly #monitor: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({
    resolution: RESOLUTION_MS,
  });
  #ran: number[] = [];
  #since: number = ranMs();
  #timer: Disposable;

  constructor() {
    this.#monitor.enable();
    this.#timer = this.#schedule();
  }

  /** Since the last call; what `work` takes does not count. */
  readAround<T>(work: () => T): { readonly delay: LoopDelay; readonly value: T } {
    const monitor = this.#monitor;
    const late = (percentile: number) => toDelayMs(monitor.percentile(percentile));
    const delay = {
      late: { p50: late(50), p99: late(99), max: toDelayMs(monitor.max) },
      own: { p99: quantile(this.#ran, 0.99), max: quantile(this.#ran, 1) },
    };
    monitor.disable();
    const value = work();
    monitor.reset();
    monitor.enable();
    this.#ran = [];
    this.#since = ranMs();
    return { delay, value };
  }

  [Symbol.dispose](): void {
    this.#monitor.disable();
    this.#timer[Symbol.dispose]();
  }

  #schedule(): Disposable {
    return systemClock.schedule(RESOLUTION_MS, () => {
      const now = ranMs();
      this.#ran.push(now - this.#since);
      this.#since = now;
      this.#timer = this.#schedule();
    });
  }
}

/** The monitor records, in nanoseconds, the whole time between two firings of a 10 ms timer. */
function toDelayMs(interval: number): number {
  return Math.max(interval / 1e6 - RESOLUTION_MS, 0);
}

function ranMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
