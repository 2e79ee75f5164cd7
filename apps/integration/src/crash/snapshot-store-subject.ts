import { join } from "node:path";
import { createClusterNode, createSnapshot, MemberSet, type KnownGood } from "@holdfast/core";
import { FileSnapshotStore } from "@holdfast/store-file";
import { mostFaults } from "./saving-fault.ts";
import { stateOf, type SavedState, type SavingSubject } from "./saving-subject.ts";

const FILE = "store/known-good.jsonl";

function knownGood(...ids: readonly string[]): KnownGood {
  const members = MemberSet.from(ids.map((id) => createClusterNode({ id, host: `${id}.test`, port: 7_000 })));
  return {
    snapshot: createSnapshot({ providerId: "any", members, observedAt: 1_000 }),
    confirmedAt: 2_000,
    source: "any",
  };
}

const SNAPSHOTS: Readonly<Record<SavedState, KnownGood>> = {
  old: knownGood("a", "b"),
  new: knownGood("a", "b", "c"),
  next: knownGood("d"),
  last: knownGood("d", "e", "f"),
};

/** The file store of snapshots, without a service. */
export const snapshotStoreSubject: SavingSubject = {
  name: "FileSnapshotStore",
  file: FILE,
  hasFixedBytes: true,
  usualFaults: mostFaults,
  async open(folder) {
    const store = new FileSnapshotStore({ path: join(folder, FILE) });
    return {
      async load() {
        const loaded = await store.load();
        return stateOf(SNAPSHOTS, ({ snapshot, confirmedAt }) => {
          return loaded?.snapshot.hash === snapshot.hash && loaded.confirmedAt === confirmedAt;
        });
      },
      save: (state) => store.save(SNAPSHOTS[state]),
      warnings: [],
      async [Symbol.asyncDispose]() {},
    };
  },
};
