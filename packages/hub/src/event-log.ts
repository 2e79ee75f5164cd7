import type { MemberSet, NodeId, TopologyEvent } from "@holdfast/core";

export interface EventLogOptions {
  /** How many events are kept. */
  readonly retainedEvents: number;
  /** How many nodes' worth of memory the kept snapshots may hold besides the newest one. */
  readonly retainedChanges: number;
}

/** The newest events of one epoch, without a gap, in bounded memory. */
export class EventLog {
  readonly #options: EventLogOptions;
  #events: TopologyEvent[] = [];
  /** Of each event kept, the nodes it holds besides those of the one before. */
  #costs: number[] = [];
  #cost = 0;
  /** Of the newest snapshot: that event is kept whatever it costs, for its members are held anyway. */
  #newestSnapshot = 0;
  #members: MemberSet | undefined;
  #retained: readonly NodeId[] | undefined;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  append(event: TopologyEvent): void {
    const { retainedEvents, retainedChanges } = this.#options;
    const cost = this.#costOf(event);
    this.#events.push(event);
    this.#costs.push(cost);
    this.#cost += cost;
    if (event.kind === "snapshot") this.#newestSnapshot = event.seqNo;
    let drop = 0;
    const isOver = () => this.#cost > retainedChanges && this.#events[drop]!.seqNo < this.#newestSnapshot;
    while (this.#events.length - drop > retainedEvents || isOver()) this.#cost -= this.#costs[drop++]!;
    if (drop === 0) return;
    this.#events.splice(0, drop);
    this.#costs.splice(0, drop);
  }

  /** All that are kept, oldest first. */
  get events(): readonly TopologyEvent[] {
    return this.#events;
  }

  /** The first `limit` events after `seqNo`; `undefined` when they are no longer kept, or `seqNo` is yet to come. */
  since(seqNo: number, newestSeqNo: number, limit: number = Infinity): readonly TopologyEvent[] | undefined {
    if (seqNo === newestSeqNo) return [];
    const oldest = this.#events[0];
    if (seqNo > newestSeqNo || oldest === undefined || seqNo + 1 < oldest.seqNo) return undefined;
    const start = seqNo + 1 - oldest.seqNo;
    return this.#events.slice(start, start + limit);
  }

  #costOf(event: TopologyEvent): number {
    if (event.kind !== "snapshot") return 0;
    const before = this.#members;
    const { members } = event.snapshot;
    this.#members = members;
    const { added, updated, removed } = event.delta;
    const changes = added.length + updated.length + removed.length;
    const { retained } = event.snapshot;
    const ids = retained === undefined || retained === this.#retained ? 0 : retained.length;
    this.#retained = retained;
    if (before === undefined) return changes;
    return sharesNodes(before, members)
      ? changes + (ownPointers(before, members) + ids) / POINTERS_PER_NODE
      : Math.max(changes, members.size);
  }
}

/** About as many pointers in a chunk weigh as much as a node does. */
const POINTERS_PER_NODE = 32;

/** What the chunks weigh that a version does not share with the one before; too much rather than too little. */
function ownPointers({ chunks: before }: MemberSet, { chunks, size }: MemberSet): number {
  if (before.length !== chunks.length) return size;
  let pointers = 0;
  for (let i = 0; i < chunks.length; i++) if (chunks[i] !== before[i]) pointers += chunks[i]!.length;
  return pointers;
}

const SAMPLES = 16;

/** Versions of one set keep the nodes that did not change. A watch begun anew may bring equal nodes as other objects. */
function sharesNodes(before: MemberSet, after: MemberSet): boolean {
  const { chunks } = after;
  for (let i = 0; i < SAMPLES; i++) {
    const chunk = chunks[Math.floor((i * chunks.length) / SAMPLES)];
    const node = chunk?.[Math.floor((i * chunk.length) / SAMPLES)];
    if (node !== undefined && before.get(node.id) === node) return true;
  }
  return false;
}
