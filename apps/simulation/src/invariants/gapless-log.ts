import type { TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** How many events before the newest one are checked after every step. */
const LOOK_BACK = 8;

/** Every event of a life has the epoch of that life, and its `seqNo` are 1, 2, 3, ... */
export class GaplessLog implements Invariant {
  readonly name = "gapless-log";
  readonly requirements = "R3.1";
  readonly #context: InvariantContext;
  #seqNo = 0;
  #newest: TopologyEvent[] = [];

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#seqNo = 0;
    this.#newest = [];
  }

  event(event: TopologyEvent, life: Life): void {
    const { report } = this.#context;
    const { epoch, state } = life.service.topology;
    if (event.epoch !== epoch) report(`an event of epoch ${event.epoch} in epoch ${epoch}`);
    if (event.seqNo !== this.#seqNo + 1) report(`seqNo ${event.seqNo} after ${this.#seqNo}`);
    if (state.seqNo < event.seqNo)
      report(`seqNo ${event.seqNo} is emitted while the state is at ${state.seqNo}`);
    this.#seqNo = event.seqNo;
    this.#newest.push(event);
    if (this.#newest.length > LOOK_BACK) this.#newest.shift();
  }

  stepDone(life: Life): void {
    const { topology } = life.service;
    const { report } = this.#context;
    if (topology.state.seqNo !== this.#seqNo) {
      report(`the state is at ${topology.state.seqNo}, but ${this.#seqNo} was emitted last`);
    }
    const since = this.#seqNo - this.#newest.length;
    const replayed = topology.eventsSince(topology.epoch, since);
    const isSame =
      replayed?.length === this.#newest.length && replayed.every((event, i) => event === this.#newest[i]);
    if (!isSame) report(`eventsSince(${since}) differs from the emitted events`);
  }
}
