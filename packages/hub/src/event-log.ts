import type { MemberSet, TopologyEvent } from "@holdfast/core";

export interface EventLogOptions {
  /** How many events are kept. */
  readonly retainedEvents: number;
  /** How many nodes the kept snapshots may differ by in all: what bounds their memory. */
  readonly retainedChanges: number;
}

/** The newest events of one epoch, without a gap, in bounded memory. */
export class EventLog {
  readonly #options: EventLogOptions;
  #events: TopologyEvent[] = [];
  /** Of each event kept, the nodes it holds besides those of the one before. */
  #costs: number[] = [];
  #cost = 0;
  #members: MemberSet | undefined;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  append(event: TopologyEvent): void {
    const { retainedEvents, retainedChanges } = this.#options;
    const cost = this.#costOf(event);
    this.#events.push(event);
    this.#costs.push(cost);
    this.#cost += cost;
    let drop = 0;
    while (this.#events.length - drop > retainedEvents || this.#cost > retainedChanges) {
      const oldest = this.#costs[drop];
      if (oldest === undefined) break;
      this.#cost -= oldest;
      drop++;
    }
    if (drop === 0) return;
    this.#events.splice(0, drop);
    this.#costs.splice(0, drop);
  }

  /** All events after `seqNo`; `undefined` when some of them are no longer kept, or `seqNo` is yet to come. */
  since(seqNo: number, newestSeqNo: number): readonly TopologyEvent[] | undefined {
    if (seqNo === newestSeqNo) return [];
    const oldest = this.#events[0];
    if (seqNo > newestSeqNo || oldest === undefined || seqNo + 1 < oldest.seqNo) return undefined;
    return this.#events.slice(seqNo + 1 - oldest.seqNo);
  }

  #costOf(event: TopologyEvent): number {
    if (event.kind !== "snapshot") return 0;
    const before = this.#members;
    const { members } = event.snapshot;
    this.#members = members;
    const { added, updated, removed } = event.delta;
    const changes = added.length + updated.length + removed.length;
    if (before === undefined || sharesNodes(before, members)) return changes;
    return Math.max(changes, members.size);
  }
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
