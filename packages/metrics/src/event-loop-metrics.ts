import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Gauge } from "prom-client";
import type { MetricGroup } from "./metric-group.ts";

const RESOLUTION_MS = 10;

/** Measures how late the timers of this process fire, since the last scrape. */
export class EventLoopMetrics implements Disposable {
  readonly #monitor: ReturnType<typeof monitorEventLoopDelay>;
  readonly #p50: Gauge;
  readonly #p99: Gauge;
  readonly #max: Gauge;

  constructor(group: MetricGroup) {
    this.#p50 = group.collected({
      name: "event_loop_lag_p50_seconds",
      help: "Median delay of the event loop since the last scrape.",
    });
    this.#p99 = group.collected({
      name: "event_loop_lag_p99_seconds",
      help: "99th percentile of the delay of the event loop since the last scrape.",
    });
    this.#max = group.collected({
      name: "event_loop_lag_max_seconds",
      help: "Longest delay of the event loop since the last scrape.",
    });
    this.#monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#monitor.enable();
  }

  collect(): void {
    this.#p50.set(toLagSeconds(this.#monitor.percentile(50)));
    this.#p99.set(toLagSeconds(this.#monitor.percentile(99)));
    this.#max.set(toLagSeconds(this.#monitor.max));
    this.#monitor.reset();
  }

  [Symbol.dispose](): void {
    this.#monitor.disable();
  }
}

/**
 * Converts a recorded interval to lag. The monitor records the whole time, in nanoseconds, between two firings of a 10
 * ms timer, so an idle loop has no lag.
 */
function toLagSeconds(interval: number): number {
  return Math.max(interval / 1e9 - RESOLUTION_MS / 1e3, 0);
}
