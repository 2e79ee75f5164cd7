import type { TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * No epoch is used by two lives, and the epoch of a life sorts after those of all earlier lives, however the wall clock
 * changed in between. A life that ends before it gets a generation sorts before all others; it reports nothing but its
 * end.
 */
export class EpochsIncrease implements Invariant {
  readonly name = "epochs-increase";
  readonly requirements = "R4.1";
  readonly #report: InvariantContext["report"];
  readonly #lives = new Map<string, number>();
  #newest = "";

  constructor({ report }: InvariantContext) {
    this.#report = report;
  }

  event(event: TopologyEvent, life: Life): void {
    const { epoch } = event;
    const user = this.#lives.get(epoch);
    if (user !== undefined) {
      if (user !== life.number)
        this.#report(`epoch ${epoch} of life ${user} is used again by life ${life.number}`);
      return;
    }
    this.#lives.set(epoch, life.number);
    if (epoch > this.#newest) this.#newest = epoch;
    else if (life.isUp || !isEnd(event))
      this.#report(`epoch ${epoch} of life ${life.number} sorts before the earlier ${this.#newest}`);
  }
}

function isEnd(event: TopologyEvent): boolean {
  return event.kind === "status_changed" && (event.to === "draining" || event.to === "stopped");
}
