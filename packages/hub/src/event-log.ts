import type { MemberSet, NodeId, TopologyEvent } from "@holdfast/core";

export interface EventLogOptions {
  /** How many events are kept. */
  readonly retainedEvents: number;
  /** Memory limit, in nodes: how many nodes the events may hold in addition to the newest snapshot. */
  readonly retainedChanges: number;
}

/** The newest events of one epoch, without gaps, in bounded memory. */
export class EventLog {
  readonly #options: EventLogOptions;
  #events: TopologyEvent[] = [];
  /** For each kept event: the nodes that it holds in addition to those of the event before. */
  #costs: number[] = [];
  #cost = 0;
  /** `seqNo` of the newest snapshot. That event is always kept, because the state holds its members anyway. */
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

  /** All kept events, oldest first. */
  get events(): readonly TopologyEvent[] {
    return this.#events;
  }

  /** Returns the first `limit` events after `seqNo`; `undefined` when they are no longer kept, or `seqNo` lies in the future. */
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

/** About this many pointers in a chunk take as much memory as one node. */
const POINTERS_PER_NODE = 32;

/** Number of pointers in the chunks that a version does not share with the version before. An upper estimate. */
function ownPointers({ chunks: before }: MemberSet, { chunks, size }: MemberSet): number {
  if (before.length !== chunks.length) return size;
  let pointers = 0;
  for (let i = 0; i < chunks.length; i++) if (chunks[i] !== before[i]) pointers += chunks[i]!.length;
  return pointers;
}

const SAMPLES = 16;

/**
 * Whether both versions hold the same node objects; checked on samples. Versions of one set share their unchanged nodes. A restarted watch
 * can deliver equal nodes as new objects.
 */
function sharesNodes(before: MemberSet, after: MemberSet): boolean {
  const { chunks } = after;
  for (let i = 0; i < SAMPLES; i++) {
    const chunk = chunks[Math.floor((i * chunks.length) / SAMPLES)];
    const node = chunk?.[Math.floor((i * chunk.length) / SAMPLES)];
    if (node !== undefined && before.get(node.id) === node) return true;
  }
  return false;
}
