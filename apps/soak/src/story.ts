import { systemClock, type TopologyEvent, type TopologyStatus } from "@holdfast/core";
import type { PortReport } from "./working-ports.ts";
import type { Story } from "./sample.ts";
import { Tally } from "./tally.ts";

/** Writes down what a log tells, without keeping its events. */
export class StoryTeller {
  readonly #events = new Tally();
  readonly #switches = new Tally();
  readonly #interruptions = new Tally();
  readonly #statusMs = new Tally();
  readonly warnings: Tally = new Tally();
  #status: TopologyStatus = "starting";
  #since: number = systemClock.monotonic();

  hear(event: TopologyEvent): void {
    this.#events.add(event.kind);
    if (event.kind === "provider_changed") this.#switches.add(`${event.from} → ${event.to}: ${event.reason}`);
    if (event.kind === "stream_terminated")
      this.#interruptions.add(event.reason.kind === "errored" ? event.reason.code : "ended");
    if (event.kind === "status_changed") {
      this.#passTime();
      this.#status = event.to;
    }
  }

  tell(ports: PortReport): Story {
    this.#passTime();
    return {
      events: this.#events.counts(),
      switches: this.#switches.counts(),
      interruptions: this.#interruptions.counts(),
      statusMs: this.#statusMs.counts(),
      warnings: this.warnings.counts(),
      ports,
    };
  }

  #passTime(): void {
    const now = systemClock.monotonic();
    this.#statusMs.add(this.#status, now - this.#since);
    this.#since = now;
  }
}
