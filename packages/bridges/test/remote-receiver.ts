import type { ClusterNode, NodeId, RemoteTopologyEvent } from "@holdfast/core";
import { RemoteEventFilter } from "../src/remote-event-filter.ts";

/** A correct receiver: it drops repeats, and holds one channel for each node that has joined. */
export class RemoteReceiver {
  readonly channels: Map<NodeId, ClusterNode> = new Map();
  readonly blocked: Set<NodeId> = new Set();
  readonly #filter = new RemoteEventFilter();

  /** Throws if the events would leave a channel to the wrong address open. */
  receive(event: RemoteTopologyEvent): void {
    if (!this.#filter.accept(event)) return;
    const { id } = event.node;
    switch (event.kind) {
      case "leave":
        this.channels.delete(id);
        this.blocked.delete(id);
        break;
      case "join": {
        const open = this.channels.get(id);
        if (open !== undefined && open.host !== event.node.host)
          throw new Error(`${id} moved without a leave`);
        this.channels.set(id, event.node);
        break;
      }
      case "blocked":
        if (this.channels.has(id)) this.blocked.add(id);
        break;
      case "unblocked":
        this.blocked.delete(id);
        break;
    }
  }

  /** Returns `id@address` of every channel, with `!` if the node is blocked; sorted. */
  describe(): readonly string[] {
    return [...this.channels.values()].map((node) => describeNode(node, this.blocked.has(node.id))).sort();
  }
}

export function describeNode({ id, host }: ClusterNode, isBlocked: boolean): string {
  return `${id}@${host}${isBlocked ? "!" : ""}`;
}
