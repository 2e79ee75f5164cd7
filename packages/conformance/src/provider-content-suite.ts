import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createClusterNode, createSnapshot, isSameNode, MemberSet } from "@holdfast/core";
import type { DefineProviderTest } from "./provider-trial.ts";
import { contentKey, sampleNode, SAMPLE_NODES } from "./sample-nodes.ts";

/** What a watch says: the current content first, then every change, each as a snapshot that is true in all its parts. */
export function defineContentTests(test: DefineProviderTest): void {
  test("the first thing a watch says is a snapshot of what the backend holds", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const said = watch.events.filter(({ type }) => ["snapshot", "heartbeat", "ended"].includes(type));
    strictEqual(said[0]?.type, "snapshot");
    strictEqual(contentKey(watch.snapshots[0]!.members), contentKey(trial.expected(SAMPLE_NODES)));
  });

  test("a backend that holds nobody gives a snapshot without members", [], async (trial) => {
    const watch = await trial.watchShowing([]);
    strictEqual(watch.snapshots[0]?.members.size, 0);
    await trial.setup.publish(SAMPLE_NODES);
    await trial.shows(watch, SAMPLE_NODES);
    await trial.setup.publish([]);
    await watch.waitFor("the second snapshot without members", () =>
      watch.snapshots.length > 2 && watch.snapshots.at(-1)?.members.size === 0 ? true : undefined,
    );
  });

  test("every field of a node arrives", [], async (trial) => {
    const nodes = [
      sampleNode(1, { tags: [], metadata: {} }),
      sampleNode(2, { zone: undefined, weight: undefined, tags: undefined, metadata: undefined }),
      sampleNode(3, { tags: ["blue", "api", "blue"], metadata: { owner: "Ærø 🌊", empty: "" } }),
      sampleNode(4, { weight: 0 }),
    ];
    const watch = await trial.watchShowing(nodes);
    const { members } = watch.snapshots.at(-1)!;
    for (const node of trial.expected(nodes)) {
      const seen = members.get(node.id);
      ok(
        seen !== undefined && isSameNode(node, seen),
        `${JSON.stringify(node)} came as ${JSON.stringify(seen)}`,
      );
    }
  });

  test("members are sorted by id and none is there twice", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    await trial.setup.publish([sampleNode(3), ...SAMPLE_NODES]);
    await trial.shows(watch, [sampleNode(3), ...SAMPLE_NODES]);
    for (const { members } of watch.snapshots) {
      const ids = Array.from(members, ({ id }) => id);
      deepStrictEqual(ids, [...new Set(ids)].sort());
      strictEqual(members.size, ids.length);
    }
  });

  test("the hash is that of the content", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const changed = [sampleNode(1, { port: 8_001 }), sampleNode(2)];
    await trial.setup.publish(changed);
    await trial.shows(watch, changed);
    for (const { members, hash, providerId, observedAt } of watch.snapshots) {
      // By id, so that a node that is there twice is another test's business.
      const nodes = new Map(Array.from(members, (node) => [node.id, createClusterNode(node)]));
      const recomputed = createSnapshot({ providerId, observedAt, members: MemberSet.from(nodes.values()) });
      strictEqual(hash, recomputed.hash);
    }
  });

  test("equal content in another order has an equal hash", [], async (trial) => {
    const first = await trial.watchShowing(SAMPLE_NODES);
    const reordered = SAMPLE_NODES.toReversed().map((node) => ({
      ...node,
      tags: node.tags!.toReversed(),
      metadata: Object.fromEntries(Object.entries(node.metadata!).toReversed()),
    }));
    const second = await trial.watchShowing(reordered);
    for (const { hash } of [...first.snapshots, ...second.snapshots]) {
      strictEqual(hash, first.snapshots[0]!.hash);
    }
  });

  test("a snapshot is signed by its provider and blocks nobody", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const { id } = trial.provider.descriptor;
    for (const { providerId, blockedNodes } of watch.snapshots) {
      strictEqual(providerId, id);
      deepStrictEqual(blockedNodes, []);
    }
  });

  test("an unchanged node is the same object in the next snapshot", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const changed = [sampleNode(1), sampleNode(2, { port: 8_002 }), sampleNode(10)];
    await trial.setup.publish(changed);
    const after = await trial.shows(watch, changed);
    const before = watch.snapshots[0]!;
    for (const id of ["node-1", "node-10"]) strictEqual(after.members.get(id), before.members.get(id));
    notStrictEqual(after.members.get("node-2"), before.members.get("node-2"));
  });

  test("every change arrives", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const changes = [
      [...SAMPLE_NODES, sampleNode(3)],
      [...SAMPLE_NODES, sampleNode(3, { port: 8_003 })],
      [sampleNode(3, { port: 8_003 }), sampleNode(10)],
      [sampleNode(3, { port: 8_003 })],
    ];
    for (const change of changes) {
      await trial.setup.publish(change);
      await trial.shows(watch, change);
    }
  });

  test(
    "of changes in quick succession the last one arrives, and none after a later one",
    [],
    async (trial) => {
      const watch = await trial.watchShowing(SAMPLE_NODES);
      const changes = [3, 4, 5, 6, 7].map((number) => [...SAMPLE_NODES, sampleNode(number)]);
      for (const change of changes) await trial.setup.publish(change);
      await trial.shows(watch, changes.at(-1)!);
      await trial.time.advance(trial.heartbeatMs);
      // A backend that takes a change in several steps may show states between: they have no place in the order.
      const order = [SAMPLE_NODES, ...changes].map((nodes) => contentKey(trial.expected(nodes)));
      const seen = watch.snapshots
        .map(({ members }) => order.indexOf(contentKey(members)))
        .filter((at) => at >= 0);
      deepStrictEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      );
      strictEqual(contentKey(watch.snapshots.at(-1)!.members), order.at(-1));
    },
  );

  test("two watches are independent", [], async (trial) => {
    const first = await trial.watchShowing(SAMPLE_NODES);
    const second = await trial.watchShowing(SAMPLE_NODES);
    const [more, most] = [
      [...SAMPLE_NODES, sampleNode(3)],
      [...SAMPLE_NODES, sampleNode(4)],
    ];
    await trial.setup.publish(more);
    await trial.shows(first, more);
    await trial.shows(second, more);
    first.abort();
    await trial.prompt("the end of the aborted watch", first.over);
    await trial.setup.publish(most);
    await trial.shows(second, most);
    strictEqual(second.outcome.kind, "running");
  });
}
