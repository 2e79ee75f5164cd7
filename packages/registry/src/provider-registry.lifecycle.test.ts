import { MemoryProviderStore } from "@holdfast/testing";
import { ProvisioningError } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { createBench, errorOf, idsOf, sample, startBench } from "../test/registry-bench.ts";

describe("restore", () => {
  test("brings exactly the stored set into force, and probes no provider", async () => {
    // R1.5
    const store = new MemoryProviderStore();
    const before = await startBench({ store });
    await before.registry.reload([sample("a", 1), sample("b", 2), sample("c", 2)]);
    const after = createBench({ store: store.reopen() });
    const set = await after.registry.restore();

    expect(set.map(({ descriptor }) => descriptor)).toEqual(
      before.registry.list().map(({ descriptor }) => descriptor),
    );
    expect(idsOf(set)).toEqual(["b", "c", "a"]);
    expect(after.registry.list()).toBe(set);
    expect(after.sets).toEqual([set]);
    expect(after.adapter.created.map(({ probes }) => probes)).toEqual([0, 0, 0]);
  });

  test("with onlyFrom, a stored set that is no longer valid does not prevent the start", async () => {
    // R1.5
    const store = new MemoryProviderStore();
    await store.save([
      sample("a"),
      { ...sample("b"), kind: "gone" },
      { ...sample("c"), params: { path: 1 } },
    ]);
    const { registry, adapter } = createBench({ store: store.reopen() });
    const wanted = [sample("a"), sample("d")];
    expect(idsOf(await registry.restore({ onlyFrom: wanted }))).toEqual(["a"]);
    expect(adapter.created.map(({ probes }) => probes)).toEqual([0]);
    expect(idsOf(await registry.reload(wanted))).toEqual(["a", "d"]);
    expect(adapter.created.map(({ probes }) => probes)).toEqual([0, 1]);
    expect((await store.reopen().load()).map(({ id }) => id)).toEqual(["a", "d"]);
  });

  test("with onlyFrom, an unchanged set is saved again without the stored providers that were left out", async () => {
    // R1.5, R5.4
    const store = new MemoryProviderStore();
    await store.save([sample("a"), { ...sample("b"), kind: "gone" }]);
    const { registry } = createBench({ store: store.reopen() });
    await registry.restore({ onlyFrom: [sample("a")] });
    await registry.reload([sample("a")]);
    expect((await store.reopen().load()).map(({ id }) => id)).toEqual(["a"]);
  });

  test("with onlyFrom, a damaged store still prevents the start", async () => {
    // R1.5
    const store = new MemoryProviderStore();
    await store.save([sample("a")]);
    store.damage();
    const { registry } = createBench({ store: store.reopen() });
    expect((await errorOf(registry.restore({ onlyFrom: [sample("a")] }))).code).toBe("STORE_CORRUPTED");
  });

  test("of a set that is no longer valid names every problem and loads nothing", async () => {
    // R1.5
    const store = new MemoryProviderStore();
    await store.save([
      sample("a"),
      { ...sample("b"), kind: "gone" },
      { ...sample("c"), params: { path: 1 } },
    ]);
    const { registry, sets, adapter } = createBench({ store: store.reopen() });
    const error = await errorOf(registry.restore());

    expect(error.code).toBe("VALIDATION_UNKNOWN_KIND");
    expect(error.message).toContain("the stored set is not valid");
    expect(error.details["problems"]).toEqual([
      expect.objectContaining({ path: "providers[1].kind" }),
      expect.objectContaining({ path: "providers[2].params.path" }),
    ]);
    expect([registry.list(), sets, adapter.created]).toEqual([[], [], []]);
    expect((await errorOf(registry.register(sample("d")))).code).toBe("LIFECYCLE_NOT_STARTED");
  });

  test("of a damaged store rejects with the store's error and changes nothing", async () => {
    // R1.5
    const store = new MemoryProviderStore();
    await store.save([sample("a")]);
    store.damage();
    const bad = store.contents;
    const { registry } = createBench({ store });

    expect((await errorOf(registry.restore())).code).toBe("STORE_CORRUPTED");
    expect((await errorOf(registry.reload([]))).code).toBe("LIFECYCLE_NOT_STARTED");
    expect(store.contents).toBe(bad);
  });

  test("disposes of the instances it created when an adapter fails", async () => {
    const store = new MemoryProviderStore();
    await store.save([sample("a"), sample("b")]);
    const { registry, adapter } = createBench({
      store,
      script: ({ descriptor }) => {
        if (descriptor.id === "b") throw new Error("bug");
      },
    });

    expect((await errorOf(registry.restore())).code).toBe("LIFECYCLE_INTERNAL");
    expect(registry.list()).toEqual([]);
    expect(adapter.created[0]?.disposals).toBe(1);
  });

  test("brings in a set that another process stored, and keeps the instances of unchanged providers", async () => {
    const store = new MemoryProviderStore();
    const { registry, adapter } = await startBench({ store });
    await registry.reload([sample("a"), sample("b")]);
    const a = registry.get("a");
    const other = store.reopen();
    await other.load();
    await other.save([sample("a"), sample("c")]);
    const conflict = await errorOf(registry.register(sample("d")));
    await registry.restore();

    expect(conflict.code).toBe("STORE_CONFLICT");
    expect(idsOf(registry.list())).toEqual(["a", "c"]);
    expect(registry.get("a")).toBe(a);
    expect(adapter.created.map(({ descriptor, disposals }) => [descriptor.id, disposals])).toEqual([
      ["a", 0],
      ["b", 1],
      ["d", 1],
      ["c", 0],
    ]);
    await registry.register(sample("d"));
    expect(JSON.parse(store.contents)).toEqual([sample("a"), sample("c"), sample("d")]);
  });

  test("adopts a stored reason to disable an unchanged definition", async () => {
    const store = new MemoryProviderStore();
    const { registry } = await startBench({ store });
    await registry.register(sample("a"));
    const other = store.reopen();
    await other.load();
    const disabled = {
      code: "VALIDATION_MISSING_CAPABILITY",
      message: "disabled by another process",
    } as const;
    await other.save([{ ...sample("a"), disabled }]);
    await registry.restore();

    expect(registry.list()).toEqual([{ descriptor: { ...sample("a"), disabled } }]);
  });

  test("must be called first, because a set that was not loaded must not be replaced", async () => {
    const store = new MemoryProviderStore();
    await store.save([sample("a")]);
    const { registry } = createBench({ store });
    const calls = [registry.register(sample("b")), registry.remove("a"), registry.reload([])];

    for (const call of calls) expect((await errorOf(call)).code).toBe("LIFECYCLE_NOT_STARTED");
    expect(JSON.parse(store.contents)).toEqual([sample("a")]);
  });
});

describe("listeners", () => {
  test("that fail cause a warning and do not affect other listeners", async () => {
    const { registry, sets, warnings } = createBench();
    const [thrown, rejected] = [new Error("thrown"), new Error("rejected")];
    registry.on("changed", () => {
      throw thrown;
    });
    registry.on("changed", () => Promise.reject(rejected));
    registry.on("warning", () => {
      throw new Error("a listener of warnings");
    });
    const after: unknown[] = [];
    registry.on("changed", (set) => after.push(set));
    await registry.restore();
    await registry.register(sample("a"));

    expect(after).toEqual(sets);
    expect(idsOf(registry.list())).toEqual(["a"]);
    const expected = { code: "LIFECYCLE_CONSUMER_FAILED", message: 'a listener of "changed" failed' };
    expect(warnings.filter(({ cause }) => cause === thrown)).toHaveLength(2);
    expect(warnings).toContainEqual({ ...expected, cause: thrown });
    expect(warnings).toContainEqual({ ...expected, cause: rejected });
  });

  test("receive nothing after they unsubscribed", async () => {
    const { registry } = await startBench();
    const received: unknown[] = [];
    registry.on("changed", (set) => received.push(set))();
    await registry.register(sample("a"));

    expect(received).toEqual([]);
  });

  test("may change the set again; their call waits in the queue", async () => {
    const { registry, sets } = await startBench();
    let nested: Promise<unknown> | undefined;
    registry.on("changed", () => (nested ??= registry.register(sample("b"))));
    await registry.register(sample("a"));
    await nested;

    expect(sets.map(idsOf)).toEqual([["a"], ["a", "b"]]);
  });
});

describe("disposal", () => {
  test("disposes of every instance once, and refuses every call from then on", async () => {
    const { registry, adapter, clock, sets } = await startBench();
    await registry.reload([sample("a"), sample("b")]);
    await Promise.all([registry[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()]);
    const calls = [
      registry.register(sample("c")),
      registry.remove("a"),
      registry.reload([]),
      registry.restore(),
    ];

    for (const call of calls) expect((await errorOf(call)).code).toBe("LIFECYCLE_STOPPED");
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([1, 1]);
    expect(registry.list()).toEqual([]);
    expect(sets).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("aborts a probe and rejects waiting calls", async () => {
    const { registry, adapter, clock } = await startBench({
      script: (provider) => {
        provider.onProbe = () => new Promise(() => {});
      },
    });
    const calls = [errorOf(registry.register(sample("a"))), errorOf(registry.register(sample("b")))];
    await clock.settle();
    await registry[Symbol.asyncDispose]();

    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual([
      "LIFECYCLE_STOPPED",
      "LIFECYCLE_STOPPED",
    ]);
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([1]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("lets a save that has begun finish", async () => {
    const store = new GatedStore();
    const { registry, adapter, clock } = await startBench({ store });
    const call = registry.register(sample("a"));
    await clock.settle();
    const disposal = registry[Symbol.asyncDispose]();
    store.gate.resolve();

    expect((await call).descriptor.id).toBe("a");
    await disposal;
    expect(JSON.parse(store.contents)).toEqual([sample("a")]);
    expect(adapter.created[0]?.disposals).toBe(1);
  });

  test("an instance that hangs during disposal delays no call, and one that fails causes a warning", async () => {
    const failure = new Error("broken");
    const hanging = Promise.withResolvers<void>();
    const { registry, warnings, clock } = await startBench({
      script: (provider) => {
        const { id } = provider.descriptor;
        provider.onDispose = () => {
          Reflect.deleteProperty(provider, "descriptor"); // broken in every possible way
          return id === "hangs" ? hanging.promise : Promise.reject(failure);
        };
      },
    });
    await registry.reload([sample("hangs"), sample("fails")]);
    await registry.remove("hangs");
    await registry.remove("fails");
    let isDisposed = false;
    const disposal = registry[Symbol.asyncDispose]().then(() => (isDisposed = true));
    await clock.settle();

    expect(warnings).toEqual([
      expect.objectContaining({ code: "LIFECYCLE_INTERNAL", providerId: "fails", cause: failure }),
    ]);
    expect(isDisposed).toBe(false);
    hanging.resolve();
    await disposal;
  });
});

describe("a signal", () => {
  test("removes a call from the queue", async () => {
    const store = new GatedStore();
    const { registry, adapter, clock } = await startBench({ store });
    const first = registry.register(sample("a"));
    await clock.settle();
    const stop = new AbortController();
    const second = errorOf(registry.register(sample("b"), { signal: stop.signal }));
    stop.abort();

    expect((await second).code).toBe("LIFECYCLE_ABORTED");
    store.gate.resolve();
    await first;
    expect(idsOf(registry.list())).toEqual(["a"]);
    expect(adapter.created).toHaveLength(1);
  });

  test("aborts a probe and leaves nothing behind", async () => {
    const store = new MemoryProviderStore();
    const { registry, adapter, clock } = await startBench({
      store,
      script: (provider) => {
        provider.onProbe = () => new Promise(() => {});
      },
    });
    const stop = new AbortController();
    const call = errorOf(registry.reload([sample("a"), sample("b")], { signal: stop.signal }));
    await clock.settle();
    stop.abort(new ProvisioningError("LIFECYCLE_SHUTTING_DOWN", "enough"));

    expect((await call).code).toBe("LIFECYCLE_SHUTTING_DOWN");
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([1, 1]);
    expect([registry.list(), store.contents, clock.pendingTimers]).toEqual([[], "", 0]);
  });

  test("has no effect once a save has begun", async () => {
    const store = new GatedStore();
    const { registry, clock } = await startBench({ store });
    const stop = new AbortController();
    const call = registry.register(sample("a"), { signal: stop.signal });
    await clock.settle();
    stop.abort();
    store.gate.resolve();

    expect((await call).descriptor.id).toBe("a");
    expect(JSON.parse(store.contents)).toEqual([sample("a")]);
  });

  test("ends the wait for a store that does not load", async () => {
    class StuckStore extends MemoryProviderStore {
      override load(): Promise<never> {
        return new Promise(() => {});
      }
    }
    const { registry } = createBench({ store: new StuckStore() });
    const stop = new AbortController();
    const call = errorOf(registry.restore({ signal: stop.signal }));
    stop.abort();

    expect((await call).code).toBe("LIFECYCLE_ABORTED");
  });
});

/** Saves only once its gate is open. */
class GatedStore extends MemoryProviderStore {
  readonly gate: PromiseWithResolvers<void> = Promise.withResolvers();

  override async save(...all: Parameters<MemoryProviderStore["save"]>): Promise<void> {
    await this.gate.promise;
    return super.save(...all);
  }
}
