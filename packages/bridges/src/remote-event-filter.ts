import { REMOTE_EVENT_ORDER } from "./remote-event-order.ts";
import { type RemoteTopologyEvent } from "@holdfast/core";

/**
 * For the receiver of remote-topology events: drops repeats and what is older than the newest event seen. Events have one
 * order (epoch, `seqNo`, node id, kind), so remembering the last one is enough. Feed it in the order they came, before
 * fanning out.
 */
export class RemoteEventFilter {
  #last: RemoteTopologyEvent | undefined;

  /** True when the event comes after everything accepted so far. */
  isNew(event: RemoteTopologyEvent): boolean {
    return this.#last === undefined || compareEvents(event, this.#last) > 0;
  }

  /**
   * As `isNew`, and remembers the event. What can fail while handling it should ask `isNew`, handle, then `accept`: an
   * accepted event counts as handled when its batch comes again.
   */
  accept(event: RemoteTopologyEvent): boolean {
    if (!this.isNew(event)) return false;
    this.#last = event;
    return true;
  }
}

function compareEvents(a: RemoteTopologyEvent, b: RemoteTopologyEvent): number {
  return (
    compare(a.epoch, b.epoch) ||
    compare(a.seqNo, b.seqNo) ||
    compare(a.node.id, b.node.id) ||
    compare(REMOTE_EVENT_ORDER[a.kind], REMOTE_EVENT_ORDER[b.kind])
  );
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
