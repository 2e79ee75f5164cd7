import { createClusterNode, MemberSet, type SourceEvent } from "@holdfast/core";
import { heartbeat, saying, showing, type ProviderFaults } from "./provider-fault.ts";

export const CONTENT_FAULTS: ProviderFaults = {
  "begins with a heartbeat": {
    fault: (tiny) => ({
      async *watch(options) {
        if (!options.signal.aborted && tiny.state === "working" && !tiny.isDisposed) yield heartbeat;
        yield* tiny.watch(options);
      },
    }),
    fails: ["the first thing a watch says is a snapshot of what the backend holds"],
  },
  "takes nobody for no answer": {
    fault: saying((event) => (event.type === "snapshot" && event.snapshot.members.size === 0 ? [] : [event])),
    fails: ["a backend that holds nobody gives a snapshot without members"],
  },
  "loses a field": {
    fault: showing((snapshot, tiny) =>
      tiny.snapshot(
        MemberSet.from(
          Array.from(snapshot.members, (node) => (node.weight === 0 ? { ...node, weight: undefined } : node)),
        ),
      ),
    ),
    fails: ["every field of a node arrives"],
  },
  "lists a node twice": {
    fault: showing((snapshot) => {
      const nodes = [...snapshot.members];
      if (nodes.length < 4) return snapshot;
      const members = new MemberSet([[...nodes, nodes.at(-1)!]], nodes.length + 1, snapshot.members.sum);
      return { ...snapshot, members };
    }),
    fails: ["members are sorted by id and none is there twice"],
  },
  "keeps the backend's order": {
    fault: showing((snapshot) => {
      const [first, ...others] = snapshot.members;
      if (others.length !== 3 || !snapshot.members.has("node-10")) return snapshot;
      return { ...snapshot, members: new MemberSet([[...others, first!]], 4, snapshot.members.sum) };
    }),
    fails: ["members are sorted by id and none is there twice"],
  },
  "counts the members instead of hashing them": {
    fault: showing((snapshot) => ({ ...snapshot, hash: String(snapshot.members.size) })),
    fails: ["the hash is that of the content"],
  },
  "leaves tags as they came": {
    fault: (tiny) => {
      let members = MemberSet.empty;
      return showing(() => {
        members = members.replace(
          tiny.nodes.map((node) => ({ ...createClusterNode(node), tags: node.tags ?? [] })),
        );
        return tiny.snapshot(members);
      })(tiny);
    },
    fails: ["every field of a node arrives", "equal content in another order has an equal hash"],
  },
  "signs with another name": {
    fault: showing((snapshot) => ({ ...snapshot, providerId: "other" })),
    fails: ["a snapshot is signed by its provider and blocks nobody"],
  },
  "blocks nodes itself": {
    fault: showing((snapshot) => ({ ...snapshot, blockedNodes: ["node-1"] })),
    fails: ["a snapshot is signed by its provider and blocks nobody"],
  },
  "makes every node anew": {
    fault: showing((snapshot, tiny) =>
      tiny.snapshot(MemberSet.from(Array.from(snapshot.members, (node) => ({ ...node })))),
    ),
    fails: ["an unchanged node is the same object in the next snapshot"],
  },
  "changes nodes in place": {
    fault: (tiny) => {
      let previous = MemberSet.empty;
      return showing((snapshot) => {
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
  "finds a single member suspicious": {
    fault: saying((event) => (event.type === "snapshot" && event.snapshot.members.size === 1 ? [] : [event])),
    fails: ["every change arrives"],
  },
  "shows an overtaken state again": {
    fault: (tiny) => {
      const shown: SourceEvent[] = [];
      return saying((event) => {
        if (event.type === "snapshot") shown.push(event);
        return event.type === "heartbeat" ? [event, shown.at(-2) ?? event] : [event];
      })(tiny);
    },
    fails: ["of changes in quick succession the last one arrives, and none after a later one"],
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
