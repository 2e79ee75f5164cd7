import { ProvisioningError } from "@holdfast/core";
import { MemoryProviderStore } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { errorOf, idsOf, sample, startBench } from "../test/registry-bench.ts";

async function startWithA() {
  const store = new MemoryProviderStore();
  const bench = await startBench({ store });
  await bench.registry.register(sample("a"));
  bench.sets.length = 0;
  return { store, ...bench };
}

const idsIn = (store: MemoryProviderStore) =>
  (JSON.parse(store.contents) as readonly { readonly id: string }[]).map(({ id }) => id);

// R5.4
describe("a prepared change", () => {
  test("changes nothing before `save`, is not in force before `apply`, and then is", async () => {
    const { registry, store, sets, adapter } = await startWithA();
    using change = await registry.prepare([sample("b")]);
    expect([idsOf(change.set), change.isChanged]).toEqual([["b"], true]);
    expect([idsOf(registry.list()), idsIn(store)]).toEqual([["a"], ["a"]]);
    await change.save();
    expect([idsOf(registry.list()), idsIn(store), sets]).toEqual([["a"], ["b"], []]);
    expect(change.apply()).toBe(registry.list());
    expect([idsOf(registry.list()), sets.length]).toEqual([["b"], 1]);
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([1, 0]);
  });

  test("that is disposed of leaves the set in force and no instance behind", async () => {
    const { registry, store, sets, adapter } = await startWithA();
    (await registry.prepare([sample("b")]))[Symbol.dispose]();
    expect([idsOf(registry.list()), idsIn(store), sets]).toEqual([["a"], ["a"], []]);
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([0, 1]);
    await registry.register(sample("c"));
    expect(idsOf(registry.list())).toEqual(["a", "c"]);
  });

  test("that was saved can be reverted, so that a restart restores the set in force", async () => {
    const { registry, store } = await startWithA();
    const change = await registry.prepare([sample("b")]);
    await change.save();
    await change.revert();
    change[Symbol.dispose]();
    expect([idsOf(registry.list()), idsIn(store)]).toEqual([["a"], ["a"]]);
  });

  test("rejects a failed save and then leaves the old set in force and stored", async () => {
    const { registry, store } = await startWithA();
    using change = await registry.prepare([sample("b")]);
    store.failNext(1);
    expect(await errorOf(change.save())).toMatchObject({ code: "STORE_IO" });
    expect([idsOf(registry.list()), idsIn(store)]).toEqual([["a"], ["a"]]);
  });

  test("keeps other changes waiting until it is over", async () => {
    const { registry } = await startWithA();
    const change = await registry.prepare([sample("b")]);
    const registering = registry.register(sample("c"));
    await Promise.resolve();
    await change.save();
    expect(idsOf(registry.list())).toEqual(["a"]);
    change.apply();
    await registering;
    expect(idsOf(registry.list())).toEqual(["b", "c"]);
  });

  test("of an equal set is not a change, and neither saves nor emits", async () => {
    const { registry, store, sets } = await startWithA();
    const before = registry.list();
    using change = await registry.prepare([sample("a")]);
    expect(change.isChanged).toBe(false);
    store.failNext(1, new ProvisioningError("STORE_IO", "must not be called"));
    await change.save();
    expect(change.apply()).toBe(before);
    expect(sets).toEqual([]);
  });

  test("of the stored set brings in what the store holds, without a save", async () => {
    const { registry, store } = await startWithA();
    const other = store.reopen();
    await other.load();
    await other.save([sample("x")]);
    using change = await registry.prepare(undefined);
    store.failNext(1, new ProvisioningError("STORE_IO", "must not be called"));
    await change.save();
    change.apply();
    expect(idsOf(registry.list())).toEqual(["x"]);
  });

  test("is rejected with every problem when an input is invalid, and the next change runs", async () => {
    const { registry } = await startWithA();
    const error = await errorOf(registry.prepare([{ id: "b" }]));
    expect(error.code).toBe("VALIDATION_MISSING_FIELD");
    await registry.register(sample("c"));
    expect(idsOf(registry.list())).toEqual(["a", "c"]);
  });

  test("ends when the registry is disposed of, and can no longer be applied", async () => {
    const { registry, adapter } = await startWithA();
    const change = await registry.prepare([sample("b")]);
    await registry[Symbol.asyncDispose]();
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([1, 1]);
    expect(() => change.apply()).toThrow("LIFECYCLE_STOPPED");
    expect(await errorOf(change.save())).toMatchObject({ code: "LIFECYCLE_STOPPED" });
  });

  test("that is disposed of during a save lets it finish, and then stores the set in force again", async () => {
    const { registry, store } = await startWithA();
    const gate = Promise.withResolvers<void>();
    const save = store.save.bind(store);
    store.save = async (all) => {
      await gate.promise;
      await save(all);
    };
    const change = await registry.prepare([sample("b")]);
    const saving = change.save();
    change[Symbol.dispose]();
    const registering = registry.register(sample("c"));
    gate.resolve();
    await saving;
    await registering;
    expect([idsOf(registry.list()), idsIn(store)]).toEqual([
      ["a", "c"],
      ["a", "c"],
    ]);
  });
});
