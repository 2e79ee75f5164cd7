import { ProvisioningError, type ProviderDescriptor, type ProviderStore } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { MemoryProviderStore } from "@holdfast/testing";
import { storeConformance } from "./store-conformance.ts";
import type { StoreAbility } from "./store-harness.ts";
import { runSuite, type SuiteResult } from "../test/collecting-runner.ts";

type Descriptors = readonly ProviderDescriptor[];
type Change = (store: MemoryProviderStore) => Partial<ProviderStore>;

interface StoreFault {
  /** The fault of a store. `Change` runs once for each store that is opened on the same content. */
  readonly fault: (place: MemoryProviderStore) => Change;
  /** The tests that must fail, and no others. */
  readonly fails: readonly string[];
}

function runWith(fault: StoreFault["fault"], lacks: readonly StoreAbility[] = []): Promise<SuiteResult> {
  const setup = () => {
    const place = new MemoryProviderStore();
    const change = fault(place);
    return {
      open(): ProviderStore {
        const store = place.reopen();
        return { load: () => store.load(), save: (all) => store.save(all), ...change(store) };
      },
      failNextSave: () => place.failNext(1),
      damage: () => place.damage(),
      contents: () => place.contents,
      teardown: () => undefined,
    };
  };
  return runSuite((runner) => storeConformance({ ...runner, harness: { setup, lacks } }));
}

const correct: StoreFault["fault"] = () => () => ({});

/** Saves something other than the given set. */
function saving(change: (all: Descriptors) => Descriptors): StoreFault["fault"] {
  return () => (store) => ({ save: (all) => store.save(change(all)) });
}

/** Replaces the stored set, if it can be read. */
async function saveBlindly(store: MemoryProviderStore, all: Descriptors): Promise<void> {
  try {
    const fresh = store.reopen();
    await fresh.load();
    await fresh.save(all);
  } catch (error) {
    if (!(error instanceof ProvisioningError) || error.code !== "STORE_CONFLICT") throw error;
    await saveBlindly(store, all);
  }
}

const FAULTS: Readonly<Record<string, StoreFault>> = {
  "rejects a load before the first save": {
    fault: (place) => (store) => ({
      load() {
        if (place.contents === "") throw new ProvisioningError("STORE_IO", "no such file");
        return store.load();
      },
    }),
    fails: [
      "a store that was never saved to is empty",
      "a load during a save returns the old set or the new one",
      "one of two overlapping saves is refused and none is lost",
    ],
  },
  "forgets why a provider is disabled": {
    fault: saving((all) => all.map(({ id, kind, priority, params }) => ({ id, kind, priority, params }))),
    fails: [
      "a saved set is loaded exactly",
      "changing a loaded or saved object does not change the stored set",
    ],
  },
  "splits text at newlines": {
    fault: saving((all) => JSON.parse(JSON.stringify(all).replaceAll("\\r\\n", "\\n"))),
    fails: [
      "a saved set is loaded exactly",
      "changing a loaded or saved object does not change the stored set",
    ],
  },
  "sorts by id": {
    fault: saving((all) => (all[0]?.id === "m" ? all.toSorted((a, b) => (a.id < b.id ? -1 : 1)) : all)),
    fails: ["the order is kept"],
  },
  "keeps only a limited number": {
    fault: saving((all) => all.slice(0, 500)),
    fails: ["a thousand descriptors are kept"],
  },
  "ignores an empty set": {
    fault: () => (store) => ({ save: async (all) => void (all.length > 0 && (await store.save(all))) }),
    fails: ["a save replaces the whole set, also by an empty one"],
  },
  "loads from a cache": {
    fault: () => (store) => {
      let known: Descriptors | undefined;
      return {
        load: async () => structuredClone((known ??= await store.load())),
        async save(all) {
          await store.load();
          await store.save(all);
          known = structuredClone(all);
        },
      };
    },
    fails: [
      "a store loads what another one on the same place saved",
      "a load during a save returns the old set or the new one",
      "a save after an unseen save of another store is refused with STORE_CONFLICT",
      "a store that never loaded does not replace an existing set",
    ],
  },
  "returns the object that it keeps": {
    fault: () => (store) => {
      let kept: { readonly text: string; readonly all: Descriptors } | undefined;
      return {
        async load() {
          const all = await store.load();
          if (kept?.text !== store.contents) kept = { text: store.contents, all };
          return kept.all;
        },
      };
    },
    fails: ["changing a loaded or saved object does not change the stored set"],
  },
  "keeps the object that it was given": {
    fault: () => (store) => {
      let kept: { readonly text: string; readonly all: Descriptors } | undefined;
      return {
        async load() {
          const all = await store.load();
          return kept?.text === store.contents ? kept.all : all;
        },
        async save(all) {
          await store.save(all);
          kept = { text: store.contents, all };
        },
      };
    },
    fails: ["changing a loaded or saved object does not change the stored set"],
  },
  "lets a short save overtake a long one": {
    fault: () => (store) => ({
      async save(all) {
        for (let i = 0; i < all.length; i++) await Promise.resolve();
        await store.save(all);
      },
    }),
    fails: ["overlapping saves of one store neither mix nor get lost"],
  },
  "writes in two steps": {
    fault: () => (store) => ({
      async save(all) {
        await store.save(all.slice(0, all.length / 2));
        await store.save(all);
      },
    }),
    fails: ["a load during a save returns the old set or the new one"],
  },
  "never detects a conflict": {
    fault: () => (store) => ({ save: (all) => saveBlindly(store, all) }),
    fails: [
      "a save after an unseen save of another store is refused with STORE_CONFLICT",
      "a store that never loaded does not replace an existing set",
      "one of two overlapping saves is refused and none is lost",
    ],
  },
  "checks for conflicts before it waits": {
    fault: (place) => (store) => {
      let seen = "";
      return {
        async load() {
          seen = place.contents;
          return await store.load();
        },
        async save(all) {
          if (seen !== place.contents) throw new ProvisioningError("STORE_CONFLICT", "another store saved");
          await saveBlindly(store, all);
          seen = place.contents;
        },
      };
    },
    fails: ["one of two overlapping saves is refused and none is lost"],
  },
  "loses the old set when a save fails": {
    fault: () => (store) => ({
      async save(all) {
        try {
          await store.save(all);
        } catch (error) {
          if (error instanceof ProvisioningError && error.code === "STORE_IO") await store.save([]);
          throw error;
        }
      },
    }),
    fails: ["a failed save rejects and leaves the old set"],
  },
  "throws the raw error of the disk": {
    fault: () => (store) => ({
      async save(all) {
        try {
          await store.save(all);
        } catch (error) {
          const isRaw = error instanceof ProvisioningError && error.code === "STORE_IO";
          throw isRaw ? new Error("ENOSPC", { cause: error }) : error;
        }
      },
    }),
    fails: ["a failed save rejects and leaves the old set"],
  },
  "never recovers from a failed save": {
    fault: () => (store) => {
      let failure: unknown;
      return {
        async save(all) {
          if (failure !== undefined) throw failure;
          try {
            await store.save(all);
          } catch (error) {
            if (error instanceof ProvisioningError && error.code === "STORE_IO") failure = error;
            throw error;
          }
        },
      };
    },
    fails: ["after a save that failed the next one works"],
  },
  "treats damaged contents as empty": {
    fault: () => (store) => ({ load: () => store.load().catch(() => []) }),
    fails: ["damaged contents make the load fail with STORE_CORRUPTED and are not changed"],
  },
  "deletes damaged contents": {
    fault: () => (store) => ({
      async load() {
        try {
          return await store.load();
        } catch (error) {
          store.damage();
          throw error;
        }
      },
    }),
    fails: [
      "damaged contents make the load fail with STORE_CORRUPTED and are not changed",
      "damaged contents are not replaced",
    ],
  },
  "replaces damaged contents": {
    fault: (place) => (store) => ({
      async save(all) {
        try {
          await store.save(all);
        } catch (error) {
          const isDamage = error instanceof ProvisioningError && error.code === "STORE_CORRUPTED";
          if (!isDamage) throw error;
          place.damage();
        }
      },
    }),
    fails: ["damaged contents are not replaced"],
  },
};

describe("the store suite", () => {
  test("passes a correct store", async () => {
    const { failed, skipped, passed } = await runWith(correct);
    expect({ failed, skipped }).toEqual({ failed: [], skipped: [] });
    expect(passed.length).toBeGreaterThan(10);
  });

  for (const [name, { fault, fails }] of Object.entries(FAULTS)) {
    test(`fails a store that ${name}`, async () => {
      const { failed, errors } = await runWith(fault);
      expect(failed.toSorted(), String([...errors.values()])).toEqual(fails.toSorted());
    });
  }

  test("has a fault for every one of its tests", async () => {
    const { passed } = await runWith(correct);
    const noticed = new Set(Object.values(FAULTS).flatMap(({ fails }) => fails));
    expect(passed.filter((name) => !noticed.has(name))).toEqual([]);
  });

  test("skips by name what the harness lacks, and nothing else", async () => {
    const { failed, skipped } = await runWith(correct, ["damage"]);
    expect(failed).toEqual([]);
    expect(skipped).toEqual([
      "damaged contents make the load fail with STORE_CORRUPTED and are not changed",
      "damaged contents are not replaced",
    ]);
  });
});
