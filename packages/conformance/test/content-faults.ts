import { createClusterNode, MemberSet, type SourceEvent } from "@holdfast/core";
import { heartbeat, withEvents, withSnapshots, type ProviderFaults } from "./provider-fault.ts";

export const CONTENT_FAULTS: ProviderFaults = {
  "starts with a heartbeat": {
    fault: (tiny) => ({
      async *watch(options) {
        if (!options.signal.aborted && tiny.state === "working" && !tiny.isDisposed) yield heartbeat;
        yield* tiny.watch(options);
      },
    }),
    fails: ["the first event of a watch is a snapshot of the backend's content"],
  },
  "treats an empty content as no response": {
    fault: withEvents((event) =>
      event.type === "snapshot" && event.snapshot.members.size === 0 ? [] : [event],
    ),
    fails: ["an empty backend yields a snapshot without members"],
  },
  "loses a field": {
    fault: withSnapshots((snapshot, tiny) =>
      tiny.snapshot(
        MemberSet.from(
          Array.from(snapshot.members, (node) => (node.weight === 0 ? { ...node, weight: undefined } : node)),
        ),
      ),
    ),
    fails: ["every field of a node is in the snapshot"],
  },
  "lists a node twice": {
    fault: withSnapshots((snapshot) => {
      const nodes = [...snapshot.members];
      if (nodes.length < 4) return snapshot;
      const members = new MemberSet([[...nodes, nodes.at(-1)!]], nodes.length + 1, snapshot.members.sum);
      return { ...snapshot, members };
    }),
    fails: ["members are sorted by id and unique"],
  },
  "keeps the backend's order": {
    fault: withSnapshots((snapshot) => {
      const [first, ...others] = snapshot.members;
      if (others.length !== 3 || !snapshot.members.has("node-10")) return snapshot;
      return { ...snapshot, members: new MemberSet([[...others, first!]], 4, snapshot.members.sum) };
    }),
    fails: ["members are sorted by id and unique"],
  },
  "counts the members instead of hashing them": {
    fault: withSnapshots((snapshot) => ({ ...snapshot, hash: String(snapshot.members.size) })),
    fails: ["the hash matches the content"],
  },
  "does not normalise tags": {
    fault: (tiny) => {
      let members = MemberSet.empty;
      return withSnapshots(() => {
        members = members.replace(
          tiny.nodes.map((node) => ({ ...createClusterNode(node), tags: node.tags ?? [] })),
        );
        return tiny.snapshot(members);
      })(tiny);
    },
    fails: ["every field of a node is in the snapshot", "equal content in another order has an equal hash"],
  },
  "uses another provider id": {
    fault: withSnapshots((snapshot) => ({ ...snapshot, providerId: "other" })),
    fails: ["a snapshot names its provider and blocks no node"],
  },
  "blocks nodes itself": {
    fault: withSnapshots((snapshot) => ({ ...snapshot, blockedNodes: ["node-1"] })),
    fails: ["a snapshot names its provider and blocks no node"],
  },
  "creates every node again": {
    fault: withSnapshots((snapshot, tiny) =>
      tiny.snapshot(MemberSet.from(Array.from(snapshot.members, (node) => ({ ...node })))),
    ),
    fails: ["an unchanged node is the same object in the next snapshot"],
  },
  "changes nodes in place": {
    fault: (tiny) => {
      let previous = MemberSet.empty;
      return withSnapshots((snapshot) => {
        const node = snapshot.members.get("node-2");
        const kept = previous.get("node-2");
        if (node?.port === 8_002 && kept !== undefined) {
          Object.assign(kept, node);
          const nodes = Array.from(snapshot.members, (member) => (member === node ? kept : member));
          previous = MemberSet.from(nodes);
        } else previous = snapshot.members;
        return { ...snapshot, members: previous };
      })(tiny);
    },
    fails: ["an unchanged node is the same object in the next snapshot"],
  },
  "drops snapshots with a single member": {
    fault: withEvents((event) =>
      event.type === "snapshot" && event.snapshot.members.size === 1 ? [] : [event],
    ),
    fails: ["every change yields a snapshot"],
  },
  "shows an overtaken state again": {
    fault: (tiny) => {
      const shown: SourceEvent[] = [];
      return withEvents((event) => {
        if (event.type === "snapshot") shown.push(event);
        return event.type === "heartbeat" ? [event, shown.at(-2) ?? event] : [event];
      })(tiny);
    },
    fails: ["changes in quick succession yield the last one, and none out of order"],
  },
  "has changes for one watch only": {
    fault: (tiny) => ({
      watch(options) {
        const [first] = tiny.listeners;
        if (first !== undefined) tiny.listeners.delete(first);
        return tiny.watch(options);
      },
    }),
    fails: ["two watches are independent"],
  },
};
