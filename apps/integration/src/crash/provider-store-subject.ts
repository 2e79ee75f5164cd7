import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ProviderDescriptor } from "@holdfast/core";
import { FileProviderStore } from "@holdfast/store-file";
import { mostFaults } from "./saving-fault.ts";
import { stateOf, type SavedState, type SavingSubject } from "./saving-subject.ts";

const FILE = "store/providers.jsonl";

function descriptors(...ids: readonly string[]): readonly ProviderDescriptor[] {
  return ids.map((id) => ({ id, kind: "file", priority: 1, params: { path: `/data/${id}.json` } }));
}

const SETS: Readonly<Record<SavedState, readonly ProviderDescriptor[]>> = {
  old: descriptors("old-1", "old-2"),
  new: descriptors("old-1", "new-1", "new-2"),
  next: descriptors("next-1"),
  last: descriptors("last-1", "last-2", "last-3"),
};

/** The file store of providers, without a service. */
export const providerStoreSubject: SavingSubject = {
  name: "FileProviderStore",
  file: FILE,
  hasFixedBytes: true,
  usualFaults: mostFaults,
  async open(folder) {
    const store = new FileProviderStore({ path: join(folder, FILE) });
    return {
      async load() {
        const loaded = await store.load();
        return stateOf(SETS, (set) => isDeepStrictEqual(set, loaded));
      },
      save: (state) => store.save(SETS[state]),
      warnings: [],
      async [Symbol.asyncDispose]() {},
    };
  },
};
