import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createClusterNode, createSnapshot, isSameNode, MemberSet } from "@holdfast/core";
import type { DefineProviderTest } from "./provider-trial.ts";
import { contentKey, sampleNode, SAMPLE_NODES } from "./sample-nodes.ts";

/** Tests of the content of a watch: the current content first, then every change, each as a consistent snapshot. */
export function defineContentTests(test: DefineProviderTest): void {
  test("the first event of a watch is a snapshot of the backend's content", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const shown = watch.events.filter(({ type }) => ["snapshot", "heartbeat", "ended"].includes(type));
    strictEqual(shown[0]?.type, "snapshot");
    strictEqual(contentKey(watch.snapshots[0]!.members), contentKey(trial.expected(SAMPLE_NODES)));
  });

  test("an empty backend yields a snapshot without members", [], async (trial) => {
    const watch = await trial.watchShowing([]);
    strictEqual(watch.snapshots[0]?.members.size, 0);
    await trial.setup.publish(SAMPLE_NODES);
    await trial.shows(watch, SAMPLE_NODES);
    await trial.setup.publish([]);
    await watch.waitFor("the second snapshot without members", () =>
      watch.snapshots.length > 2 && watch.snapshots.at(-1)?.members.size === 0 ? true : undefined,
    );
  });

  test("every field of a node is in the snapshot", [], async (trial) => {
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
        `expected ${JSON.stringify(node)}, got ${JSON.stringify(seen)}`,
      );
    }
  });

  test("members are sorted by id and unique", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    await trial.setup.publish([sampleNode(3), ...SAMPLE_NODES]);
    await trial.shows(watch, [sampleNode(3), ...SAMPLE_NODES]);
    for (const { members } of watch.snapshots) {
      const ids = Array.from(members, ({ id }) => id);
      deepStrictEqual(ids, [...new Set(ids)].sort());
      strictEqual(members.size, ids.length);
    }
  });

  test("the hash matches the content", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const changed = [sampleNode(1, { port: 8_001 }), sampleNode(2)];
    await trial.setup.publish(changed);
    await trial.shows(watch, changed);
    for (const { members, hash, providerId, observedAt } of watch.snapshots) {
      // Keyed by id, because another test covers nodes that are listed twice.
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

  test("a snapshot names its provider and blocks no node", [], async (trial) => {
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

  test("every change yields a snapshot", [], async (trial) => {
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

  test("changes in quick succession yield the last one, and none out of order", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const changes = [3, 4, 5, 6, 7].map((number) => [...SAMPLE_NODES, sampleNode(number)]);
    for (const change of changes) await trial.setup.publish(change);
    await trial.shows(watch, changes.at(-1)!);
    await trial.time.advance(trial.heartbeatMs);
    // A backend that applies a change in several steps may show intermediate states, which are not in the order.
    const order = [SAMPLE_NODES, ...changes].map((nodes) => contentKey(trial.expected(nodes)));
    const seen = watch.snapshots
      .map(({ members }) => order.indexOf(contentKey(members)))
      .filter((at) => at >= 0);
    deepStrictEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
    strictEqual(contentKey(watch.snapshots.at(-1)!.members), order.at(-1));
  });

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
