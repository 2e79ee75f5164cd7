import type { TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/** How far back the log is asked about after every step. */
const LOOK_BACK = 8;

/** Per epoch `seqNo` is 1, 2, 3, ...; no epoch is used twice, and a later one sorts after unless the wall clock was set back. */
export class GaplessLog implements Invariant {
  readonly name = "gapless-log";
  readonly requirements = "R3.1 R4.1";
  readonly #context: InvariantContext;
  readonly #epochs = new Map<string, number>();
  #seqNo = 0;
  #newest: TopologyEvent[] = [];
  #previous: { readonly epoch: string; readonly bornAt: number; readonly setBacks: number } | undefined;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(life: Life): void {
    const { world, report } = this.#context;
    const { epoch } = life.service.topology;
    const { bornAt } = life;
    const before = this.#epochs.get(epoch);
    if (before !== undefined) report(`epoch ${epoch} of life ${before} is used again by life ${life.number}`);
    const previous = this.#previous;
    // In the same millisecond chance decides.
    if (previous?.setBacks === world.setBacks && bornAt > previous.bornAt && epoch <= previous.epoch) {
      report(`epoch ${epoch} sorts before the earlier ${previous.epoch}`);
    }
    this.#epochs.set(epoch, life.number);
    this.#previous = { epoch, bornAt, setBacks: world.setBacks };
    this.#seqNo = 0;
    this.#newest = [];
  }

  event(event: TopologyEvent, life: Life): void {
    const { report } = this.#context;
    const { epoch, state } = life.service.topology;
    if (event.epoch !== epoch) report(`an event of epoch ${event.epoch} in epoch ${epoch}`);
    if (event.seqNo !== this.#seqNo + 1) report(`seqNo ${event.seqNo} after ${this.#seqNo}`);
    if (state.seqNo < event.seqNo)
      report(`seqNo ${event.seqNo} is told while the state is at ${state.seqNo}`);
    this.#seqNo = event.seqNo;
    this.#newest.push(event);
    if (this.#newest.length > LOOK_BACK) this.#newest.shift();
  }

  stepDone(life: Life): void {
    const { topology } = life.service;
    const { report } = this.#context;
    if (topology.state.seqNo !== this.#seqNo) {
      report(`the state is at ${topology.state.seqNo}, and ${this.#seqNo} was told last`);
    }
    const since = this.#seqNo - this.#newest.length;
    const replayed = topology.eventsSince(topology.epoch, since);
    const isSame =
      replayed?.length === this.#newest.length && replayed.every((event, i) => event === this.#newest[i]);
    if (!isSame) report(`eventsSince(${since}) is not what was told`);
  }
}
