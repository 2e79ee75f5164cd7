import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock } from "@holdfast/core";
import { quantile } from "./statistics.ts";

const RESOLUTION_MS = 10;

/** All values are milliseconds. */
export interface LoopDelay {
  /** How late timers fired, including delays caused by other processes. */
  readonly late: { readonly p50: number; readonly p99: number; readonly max: number };
  /**
   * The processor time of this thread between two firings of a 10 ms timer. Load from other processes is not included.
   */
  readonly own: { readonly p99: number; readonly max: number };
}

/** Measures the delays of the event loop of this process, without the cost of the measurements of a sample. */
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

  /** Returns the delays since the last call, and the result of `work`. The time that `work` takes is not measured. */
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
