import { systemClock, type TopologyEvent, type TopologyStatus } from "@holdfast/core";
import type { PortReport } from "./working-ports.ts";
import type { RunSummary } from "./sample.ts";
import { Tally } from "./tally.ts";

/** Counts the events of a topology without keeping the events. */
export class EventRecorder {
  readonly #events = new Tally();
  readonly #switches = new Tally();
  readonly #interruptions = new Tally();
  readonly #statusMs = new Tally();
  readonly warnings: Tally = new Tally();
  #status: TopologyStatus = "starting";
  #since: number = systemClock.monotonic();

  record(event: TopologyEvent): void {
    this.#events.add(event.kind);
    if (event.kind === "provider_changed") this.#switches.add(`${event.from} → ${event.to}: ${event.reason}`);
    if (event.kind === "stream_terminated")
      this.#interruptions.add(event.reason.kind === "errored" ? event.reason.code : "ended");
    if (event.kind === "status_changed") {
      this.#addElapsed();
      this.#status = event.to;
    }
  }

  summarize(ports: PortReport): RunSummary {
    this.#addElapsed();
    return {
      events: this.#events.counts(),
      switches: this.#switches.counts(),
      interruptions: this.#interruptions.counts(),
      statusMs: this.#statusMs.counts(),
      warnings: this.warnings.counts(),
      ports,
    };
  }

  #addElapsed(): void {
    const now = systemClock.monotonic();
    this.#statusMs.add(this.#status, now - this.#since);
    this.#since = now;
  }
}
