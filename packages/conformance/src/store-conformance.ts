import { deepStrictEqual, fail, ok, strictEqual } from "node:assert/strict";
import { isProvisioningError, type ProviderDescriptor, type ProviderStore } from "@holdfast/core";
import type { ConformanceRunner } from "./conformance-runner.ts";
import { sampleSet, EXHAUSTIVE_SET } from "./sample-descriptors.ts";
import type { StoreAbility, StoreHarness, StoreSetup } from "./store-harness.ts";

export interface StoreConformanceOptions extends ConformanceRunner {
  readonly harness: StoreHarness;
}

/**
 * Registers the tests that every `ProviderStore` has to pass. Each test gets a separate setup, so they may run in any
 * order. A test that needs what the harness `lacks` is skipped by name.
 */
export function storeConformance({ describe, test: register, harness }: StoreConformanceOptions): void {
  const test = (name: string, needs: readonly StoreAbility[], body: (setup: StoreSetup) => Promise<void>) => {
    const run = () => runIn(harness, body);
    if (needs.some((ability) => harness.lacks?.includes(ability) === true)) register.skip(name, run);
    else register(name, run);
  };

  describe("stored content", () => {
    test("a store that was never saved to is empty", [], async (setup) => {
      deepStrictEqual(await stored(setup), []);
    });

    test("a saved set is loaded exactly", [], async (setup) => {
      await (await setup.open()).save(EXHAUSTIVE_SET);
      deepStrictEqual(await stored(setup), EXHAUSTIVE_SET);
    });

    test("the order is kept", [], async (setup) => {
      const unsorted = ["m", "z", "a", "10", "9"].map((id, index) => descriptor(id, (index * 7) % 5));
      await (await setup.open()).save(unsorted);
      deepStrictEqual(
        (await stored(setup)).map(({ id }) => id),
        ["m", "z", "a", "10", "9"],
      );
    });

    test("a thousand descriptors are kept", [], async (setup) => {
      const all = sampleSet("large", 1_000);
      await (await setup.open()).save(all);
      deepStrictEqual(await stored(setup), all);
    });

    test("a save replaces the whole set, also by an empty one", [], async (setup) => {
      const store = await setup.open();
      for (const set of [sampleSet("first", 3), sampleSet("second", 2), []]) {
        await store.save(set);
        deepStrictEqual(await store.load(), set);
        deepStrictEqual(await stored(setup), set);
      }
    });

    test("a store loads what another one on the same place saved", [], async (setup) => {
      const [one, other] = [await setup.open(), await setup.open()];
      await one.save(sampleSet("one", 2));
      deepStrictEqual(await other.load(), sampleSet("one", 2));
      await other.save(sampleSet("other", 3));
      deepStrictEqual(await one.load(), sampleSet("other", 3));
    });

    test("changing a loaded or saved object does not change the stored set", [], async (setup) => {
      const store = await setup.open();
      const saved = structuredClone(EXHAUSTIVE_SET);
      await store.save(saved);
      spoil(saved);
      spoil(await store.load());
      deepStrictEqual(await store.load(), EXHAUSTIVE_SET);
      deepStrictEqual(await stored(setup), EXHAUSTIVE_SET);
    });
  });

  describe("contention and failure", () => {
    test("overlapping saves of one store neither mix nor get lost", [], async (setup) => {
      const store = await setup.open();
      const sets = [5, 1, 40, 3].map((size) => sampleSet(`set-${size}`, size));
      const outcomes = await Promise.allSettled(sets.map((set) => store.save(set)));
      assertConflicts(outcomes);
      const last = outcomes.findLastIndex(({ status }) => status === "fulfilled");
      ok(last >= 0, "every save was refused");
      deepStrictEqual(await stored(setup), sets[last]);
    });

    test("a load during a save returns the old set or the new one", [], async (setup) => {
      const [writer, reader] = [await setup.open(), await setup.open()];
      let before: readonly ProviderDescriptor[] = [];
      for (let round = 1; round <= 10; round++) {
        const after = sampleSet(`round-${round}`, 20 * round);
        let isSaved = false;
        const saving = writer.save(after).finally(() => {
          isSaved = true;
        });
        saving.catch(() => undefined);
        do {
          const seen = await reader.load();
          ok(
            [before.length, after.length].includes(seen.length),
            `${seen.length} of ${after.length} descriptors were loaded`,
          );
          deepStrictEqual(seen, seen.length === after.length ? after : before);
        } while (!isSaved);
        await saving;
        before = after;
      }
    });

    test("a save after an unseen save of another store is refused with STORE_CONFLICT", [], async (setup) => {
      const [one, other] = [await setup.open(), await setup.open()];
      await one.save(sampleSet("common", 1));
      await other.load();
      await one.save(sampleSet("newer", 2));
      strictEqual(await rejectionCode(other.save(sampleSet("blind", 3))), "STORE_CONFLICT");
      deepStrictEqual(await stored(setup), sampleSet("newer", 2));
      await other.load();
      await other.save(sampleSet("seeing", 3));
      deepStrictEqual(await stored(setup), sampleSet("seeing", 3));
    });

    test("a store that never loaded does not replace an existing set", [], async (setup) => {
      await (await setup.open()).save(sampleSet("there", 2));
      const store = await setup.open();
      strictEqual(await rejectionCode(store.save(sampleSet("blind", 3))), "STORE_CONFLICT");
      deepStrictEqual(await stored(setup), sampleSet("there", 2));
    });

    test("one of two overlapping saves is refused and none is lost", [], async (setup) => {
      const stores = [await setup.open(), await setup.open()];
      for (let round = 1; round <= 5; round++) {
        for (const store of stores) await store.load();
        const sets = stores.map((_, index) => sampleSet(`round-${round}-${index}`, 10 + index));
        const outcomes = await Promise.allSettled(stores.map((store, index) => store.save(sets[index]!)));
        assertConflicts(outcomes);
        const done = sets.filter((_, index) => outcomes[index]!.status === "fulfilled");
        strictEqual(done.length, 1, `${done.length} saves succeeded`);
        deepStrictEqual(await stored(setup), done[0]);
      }
    });

    test("a failed save rejects and leaves the old set", ["failNextSave"], async (setup) => {
      const store = await setup.open();
      await store.save(sampleSet("old", 3));
      await drive(setup, "failNextSave");
      strictEqual(await rejectionCode(store.save(sampleSet("new", 5))), "STORE_IO");
      deepStrictEqual(await stored(setup), sampleSet("old", 3));
      deepStrictEqual(await store.load(), sampleSet("old", 3));
    });

    test("after a save that failed the next one works", ["failNextSave"], async (setup) => {
      const store = await setup.open();
      await store.save(sampleSet("old", 3));
      await drive(setup, "failNextSave");
      await store.save(sampleSet("new", 5)).catch(() => undefined);
      await store.save(sampleSet("newer", 4));
      deepStrictEqual(await stored(setup), sampleSet("newer", 4));
    });

    test(
      "damaged contents make the load fail with STORE_CORRUPTED and are not changed",
      ["damage"],
      async (setup) => {
        await (await setup.open()).save(sampleSet("old", 3));
        await drive(setup, "damage");
        const before = await setup.contents?.();
        const store = await setup.open();
        for (let attempt = 1; attempt <= 2; attempt++) {
          strictEqual(await rejectionCode(store.load()), "STORE_CORRUPTED");
          strictEqual(await setup.contents?.(), before);
        }
      },
    );

    test("damaged contents are not replaced", ["damage"], async (setup) => {
      const running = await setup.open();
      await running.save(sampleSet("old", 3));
      await drive(setup, "damage");
      const before = await setup.contents?.();
      const restarted = await setup.open();
      await restarted.load().catch(() => undefined);
      for (const store of [running, restarted]) {
        const code = await rejectionCode(store.save(sampleSet("new", 2)));
        ok(code === "STORE_CORRUPTED" || code === "STORE_CONFLICT", `refused with ${code}`);
        strictEqual(await setup.contents?.(), before);
      }
    });
  });
}

async function runIn(harness: StoreHarness, body: (setup: StoreSetup) => Promise<void>): Promise<void> {
  const setup = await harness.setup();
  try {
    await body(setup);
  } finally {
    await setup.teardown();
  }
}

/** Returns the set that a newly opened store loads. */
async function stored(setup: StoreSetup): Promise<readonly ProviderDescriptor[]> {
  const store: ProviderStore = await setup.open();
  return await store.load();
}

async function drive(setup: StoreSetup, step: StoreAbility): Promise<void> {
  if (setup[step] === undefined) fail(`the harness neither has "${step}" nor lists it in "lacks"`);
  await setup[step]();
}

/** Returns the code of the error that the work rejects with. Anything but a `ProvisioningError` fails the test. */
async function rejectionCode(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    ok(
      isProvisioningError(error),
      `rejected with an error that is not a ProvisioningError: ${String(error)}`,
    );
    return error.code;
  }
  return fail("did not reject");
}

function assertConflicts(outcomes: readonly PromiseSettledResult<void>[]): void {
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    const reason: unknown = outcome.reason;
    ok(isProvisioningError(reason) && reason.code === "STORE_CONFLICT", `refused with ${String(reason)}`);
  }
}

function descriptor(id: string, priority: number): ProviderDescriptor {
  return { id, kind: "memory", priority, params: {} };
}

/** Changes the objects of a set; frozen objects stay unchanged. */
function spoil(set: readonly ProviderDescriptor[]): void {
  for (const each of set) {
    Reflect.set(each, "priority", -1);
    if (typeof each.params === "object" && each.params !== null) Reflect.set(each.params, "added", true);
  }
  Reflect.set(set, 0, descriptor("intruder", 0));
}
