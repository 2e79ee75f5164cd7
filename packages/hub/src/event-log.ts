import type { TopologyEvent } from "@holdfast/core";

export interface EventLogOptions {
  /** How many events are kept. */
  readonly retainedEvents: number;
  /** How many changed nodes the kept snapshots may differ by in all: what bounds their memory. */
  readonly retainedChanges: number;
}

/** The newest events of one epoch, without a gap, in bounded memory. */
export class EventLog {
  readonly #options: EventLogOptions;
  #events: TopologyEvent[] = [];
  #changes = 0;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  append(event: TopologyEvent): void {
    const { retainedEvents, retainedChanges } = this.#options;
    this.#events.push(event);
    this.#changes += changesOf(event);
    let drop = 0;
    while (this.#events.length - drop > retainedEvents || this.#changes > retainedChanges) {
      const oldest = this.#events[drop];
      if (oldest === undefined) break;
      this.#changes -= changesOf(oldest);
      drop++;
    }
    if (drop > 0) this.#events.splice(0, drop);
  }

  /** All events after `seqNo`; `undefined` when some of them are no longer kept, or `seqNo` is yet to come. */
  since(seqNo: number, newestSeqNo: number): readonly TopologyEvent[] | undefined {
    if (seqNo === newestSeqNo) return [];
    const oldest = this.#events[0];
    if (seqNo > newestSeqNo || oldest === undefined || seqNo + 1 < oldest.seqNo) return undefined;
    return this.#events.slice(seqNo + 1 - oldest.seqNo);
  }
}

function changesOf(event: TopologyEvent): number {
  if (event.kind !== "snapshot") return 0;
  const { added, updated, removed } = event.delta;
  return added.length + updated.length + removed.length;
}
