import { inspect } from "node:util";
import { MemoryProviderStore } from "@holdfast/testing";
import { memory } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import { errorOf, idsOf, refusal, sample, startBench } from "../test/registry-bench.ts";
import type { ScriptedProvider } from "../test/scripted-adapter.ts";

describe("register", () => {
  test("refuses a provider beyond the maximum size of a set, which a restart could not restore", async () => {
    const { registry } = await startBench();
    const full = Array.from({ length: 1_000 }, (_, i) => sample(`p${i}`));
    await registry.reload(full);
    expect(await errorOf(registry.register(sample("more")))).toMatchObject({
      code: "VALIDATION_MALFORMED",
      details: { maxProviders: 1_000 },
    });
    expect(await errorOf(registry.reload([...full, sample("more")]))).toMatchObject({
      details: { problems: [{ path: "providers", expected: "at most 1000 entries" }] },
    });
    expect(await registry.restore()).toHaveLength(1_000);
  });

  test("saves a provider, brings it into force and emits the change", async () => {
    const store = new MemoryProviderStore();
    const { registry, sets } = await startBench({ store });
    const low = await registry.register(sample("low", 1));
    const high = await registry.register(sample("high", 9));

    expect(registry.list()).toEqual([high, low]);
    expect(registry.get("low")).toBe(low);
    expect(JSON.parse(store.contents)).toEqual([sample("high", 9), sample("low", 1)]);
    expect(sets).toEqual([[low], [high, low]]);
  });

  test("passes the parsed params to the adapter, and keeps the submitted ones", async () => {
    const { registry, adapter } = await startBench();
    await registry.register(sample("a"));

    expect(adapter.created[0]?.descriptor.params).toEqual({ path: "/x", pollMs: 1_000 });
    expect(registry.get("a")?.descriptor).toEqual(sample("a"));
  });

  test("names every problem and changes nothing", async () => {
    // R1.1
    const store = new MemoryProviderStore();
    const { registry, sets, adapter } = await startBench({ store });
    const error = await errorOf(registry.register({ id: "a", kind: "scripted", params: { pollMs: 0 } }));

    expect(error.code).toBe("VALIDATION_MISSING_FIELD");
    expect(error.message).toContain('the provider "a" is not valid');
    expect(error.details["problems"]).toEqual([
      { path: "priority", expected: "number", got: "nothing", code: "VALIDATION_MISSING_FIELD" },
      { path: "params.path", expected: "string", got: "nothing", code: "VALIDATION_MISSING_FIELD" },
      { path: "params.pollMs", expected: "at least 1", got: "0", code: "VALIDATION_MALFORMED" },
    ]);
    expect([registry.list(), store.contents, sets, adapter.created]).toEqual([[], "", [], []]);
  });

  test("refuses an id that is taken and does not change the registered provider", async () => {
    // R1.2
    const adapter = memory.createAdapter();
    const { registry, sets, clock } = await startBench({ adapters: [adapter] });
    const a = await registry.register({ id: "a", kind: "memory", priority: 1, params: {} });
    const stop = new AbortController();
    const events: string[] = [];
    const watching = (async () => {
      for await (const event of a.provider!.watch({ signal: stop.signal })) events.push(event.type);
    })();
    await clock.settle();
    const error = await errorOf(
      registry.register({ id: "a", kind: "memory", priority: 7, params: { members: [] } }),
    );

    expect(error.code).toBe("VALIDATION_DUPLICATE_ID");
    expect(error.details["problems"]).toEqual([
      { path: "id", expected: "an id that is not taken", got: '"a"', code: "VALIDATION_DUPLICATE_ID" },
    ]);
    expect(registry.get("a")).toBe(a);
    expect(sets).toHaveLength(1);
    adapter.providers.get("a")?.set([{ id: "n", host: "h", port: 1 }]);
    await clock.settle();
    expect(events).toEqual(["snapshot", "snapshot"]);
    stop.abort();
    await watching;
  });

  test("copies its input immediately, so that later changes by the caller have no effect", async () => {
    const { registry } = await startBench();
    const input = structuredClone(sample("a")) as { id: string };
    const call = registry.register(input);
    input.id = "b";

    expect((await call).descriptor.id).toBe("a");
  });

  test("refuses a literal secret and does not reveal it anywhere", async () => {
    // R1.6
    const canary = "c4naryHunter2";
    const store = new MemoryProviderStore();
    const { registry, warnings, sets } = await startBench({ store });
    const params = { path: "/x", token: canary };
    const errors = [
      await errorOf(registry.register({ ...sample("a"), params })),
      await errorOf(registry.register({ ...sample("a"), params: { path: `http://u:${canary}@h/` } })),
      await errorOf(registry.reload([sample("b"), { ...sample("a"), params }])),
      await errorOf(registry.register({ ...sample("a"), params })), // suppressed by now
    ];

    expect(errors.map(({ code }) => code)).toEqual([
      "VALIDATION_LITERAL_SECRET",
      "VALIDATION_LITERAL_SECRET",
      "VALIDATION_LITERAL_SECRET",
      "VALIDATION_SUPPRESSED",
    ]);
    expect(warnings).toHaveLength(1);
    const everything = [errors, errors.map(({ cause }) => cause), warnings, sets, store, registry.list()];
    expect(JSON.stringify(everything)).not.toContain(canary);
    expect(inspect(everything, { depth: null, showHidden: true })).not.toContain(canary);
  });

  test("rejects when the adapter fails to create an instance", async () => {
    const { registry } = await startBench({
      script: ({ descriptor }) => {
        if (descriptor.id === "ours") throw refusal("VALIDATION_MALFORMED");
        throw new TypeError("bug");
      },
    });

    expect((await errorOf(registry.register(sample("ours")))).code).toBe("VALIDATION_MALFORMED");
    expect((await errorOf(registry.register(sample("foreign")))).code).toBe("LIFECYCLE_INTERNAL");
    expect(registry.list()).toEqual([]);
  });
});

function withoutWatch(provider: ScriptedProvider): void {
  provider.capabilities = { watch: false };
}

describe("a provider that lacks a needed capability", () => {
  const disabled = { code: "VALIDATION_MISSING_CAPABILITY", message: 'it lacks the capability "watch"' };

  test("is kept as Disabled with its reason, listed, stored, and never activated", async () => {
    // R1.3
    const store = new MemoryProviderStore();
    const { registry, adapter, warnings } = await startBench({ store, script: withoutWatch });
    const registered = await registry.register(sample("a"));

    expect(registered).toEqual({ descriptor: { ...sample("a"), disabled } });
    expect(registry.list()).toEqual([registered]);
    expect(JSON.parse(store.contents)).toEqual([{ ...sample("a"), disabled }]);
    expect(adapter.created).toEqual([expect.objectContaining({ probes: 0, disposals: 1 })]);
    expect(warnings).toEqual([
      { code: disabled.code, message: `"a" is disabled: ${disabled.message}`, providerId: "a" },
    ]);
  });

  test("stays Disabled with the same reason after a restart, also when it could watch by then", async () => {
    // R1.3 R1.5
    const store = new MemoryProviderStore();
    const before = await startBench({ store, script: withoutWatch });
    await before.registry.register(sample("a"));
    const after = await startBench({ store: store.reopen() });

    expect(after.registry.list()).toEqual(before.registry.list());
    expect(after.adapter.created).toEqual([]);
  });

  test("stays Disabled in a reload with the same definition", async () => {
    const { registry, adapter } = await startBench({ script: withoutWatch });
    const a = await registry.register(sample("a"));
    await registry.reload([sample("a"), sample("b")]);

    expect(registry.get("a")).toBe(a);
    expect(adapter.created.map(({ descriptor }) => descriptor.id)).toEqual(["a", "b"]);
  });
});

describe("remove", () => {
  test("removes a provider, also from the store, and disposes of it after the change was emitted", async () => {
    const store = new MemoryProviderStore();
    const { registry, adapter } = await startBench({ store });
    await registry.register(sample("a"));
    await registry.register(sample("b"));
    const disposals: (number | undefined)[] = [];
    registry.on("changed", () => disposals.push(adapter.created[0]?.disposals));
    await registry.remove("a");

    expect(idsOf(registry.list())).toEqual(["b"]);
    expect(JSON.parse(store.contents)).toEqual([sample("b")]);
    expect(disposals).toEqual([0]);
    expect(adapter.created.map((provider) => provider.disposals)).toEqual([1, 0]);
  });

  test("refuses an id that is not registered, and quotes it only when it is well-formed", async () => {
    const { registry } = await startBench();
    const [known, odd] = [
      await errorOf(registry.remove("unknown")),
      await errorOf(registry.remove("http://u:hunter2@h")),
    ];

    expect([known.code, odd.code]).toEqual(["VALIDATION_UNKNOWN_ID", "VALIDATION_UNKNOWN_ID"]);
    expect(known.message).toContain('"unknown"');
    expect(odd.message).not.toContain("hunter2");
  });
});

describe("reload", () => {
  test("replaces the set and keeps the instance of every descriptor that is the same", async () => {
    // R5.4
    const store = new MemoryProviderStore();
    const { registry, adapter, sets } = await startBench({ store });
    await registry.reload([sample("same"), sample("changed"), sample("gone")]);
    const same = registry.get("same");
    // The same content, whatever the order of its fields.
    const input = { params: { path: "/x" }, priority: 1, kind: "scripted", id: "same" };
    const set = await registry.reload([input, sample("changed", 2), sample("new")]);

    expect(registry.get("same")).toBe(same);
    expect(registry.list()).toBe(set);
    expect(set.map(({ descriptor }) => descriptor)).toEqual([
      sample("changed", 2),
      sample("new"),
      sample("same"),
    ]);
    expect(JSON.parse(store.contents)).toEqual(set.map(({ descriptor }) => descriptor));
    expect(sets).toHaveLength(2);
    const outcomes = adapter.created.map(({ descriptor, probes, disposals }) => [
      descriptor.id,
      probes,
      disposals,
    ]);
    expect(outcomes).toEqual([
      ["same", 1, 0],
      ["changed", 1, 1],
      ["gone", 1, 1],
      ["changed", 1, 0],
      ["new", 1, 0],
    ]);
  });

  test("that changes nothing saves nothing and emits nothing", async () => {
    const store = new MemoryProviderStore();
    const { registry, sets } = await startBench({ store });
    await registry.reload([sample("a"), sample("b")]);
    store.failNext(1);
    await registry.reload([sample("b"), sample("a")]);

    expect(sets).toHaveLength(1);
  });

  test("names every problem of every entry, and the old set stays in force", async () => {
    // R1.1 R5.4
    const store = new MemoryProviderStore();
    const { registry, sets, adapter } = await startBench({ store });
    await registry.register(sample("old"));
    const before = [registry.list(), store.contents];
    const error = await errorOf(
      registry.reload([sample("ok"), { id: "b" }, { ...sample("c"), kind: "nope" }, sample("ok")]),
    );

    expect(error.code).toBe("VALIDATION_DUPLICATE_ID");
    expect(error.details["problems"]).toEqual([
      expect.objectContaining({ path: "providers[1].kind" }),
      expect.objectContaining({ path: "providers[1].priority" }),
      expect.objectContaining({ path: "providers[1].params" }),
      expect.objectContaining({ path: "providers[2].kind", code: "VALIDATION_UNKNOWN_KIND" }),
      expect.objectContaining({ path: "providers[3].id", code: "VALIDATION_DUPLICATE_ID" }),
    ]);
    expect([registry.list(), store.contents]).toEqual(before);
    expect(sets).toHaveLength(1);
    expect(adapter.created).toHaveLength(1);
  });

  test("names every provider that cannot be reached, accepts none, and disposes of all new instances", async () => {
    // R1.4 R5.4
    const store = new MemoryProviderStore();
    const codes = { refused: "CONNECTIVITY_REFUSED", tls: "CONNECTIVITY_TLS" } as const;
    const { registry, adapter } = await startBench({
      store,
      script: (provider) => {
        const { id } = provider.descriptor;
        if (id === "refused" || id === "tls") provider.onProbe = () => Promise.reject(refusal(codes[id]));
      },
    });
    await registry.register(sample("old"));
    const before = [registry.list(), store.contents];
    const error = await errorOf(
      registry.reload([sample("old"), sample("refused"), sample("fine"), sample("tls")]),
    );

    expect(error.code).toBe("CONNECTIVITY_REFUSED");
    expect(error.retryable).toBe(false); // a TLS problem does not go away by itself
    expect(error.details["failures"]).toEqual([
      { providerId: "refused", code: "CONNECTIVITY_REFUSED", message: expect.any(String), retryable: true },
      { providerId: "tls", code: "CONNECTIVITY_TLS", message: expect.any(String), retryable: false },
    ]);
    expect([registry.list(), store.contents]).toEqual(before);
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([0, 1, 1, 1]);
  });
});

describe("a store that fails", () => {
  test.each(["STORE_IO", "STORE_CONFLICT"] as const)(
    "with %s leaves the old set in force and disposes of new instances",
    async (code) => {
      // R5.4
      const store = new MemoryProviderStore();
      const { registry, adapter, sets } = await startBench({ store });
      await registry.reload([sample("a"), sample("b")]);
      const before = [registry.list(), store.contents];
      for (const call of [
        () => registry.register(sample("c")),
        () => registry.remove("a"),
        () => registry.reload([sample("a", 5), sample("c")]),
      ]) {
        store.failNext(1, refusal(code));
        expect((await errorOf(call())).code).toBe(code);
        expect([registry.list(), store.contents]).toEqual(before);
      }

      expect(sets).toHaveLength(1);
      expect(adapter.created.map(({ disposals }) => disposals)).toEqual([0, 0, 1, 1, 1]);
    },
  );

  test.each(["register", "remove", "reload"] as const)(
    "after it wrote the new set is given the old set again, so that a restart restores the set in force: %s",
    async (method) => {
      // R1.5 R5.4
      const store = new LateFailingStore();
      const { registry, adapter, sets, warnings } = await startBench({ store });
      await registry.reload([sample("a"), sample("b")]);
      store.lateFailures = 1;
      const call = {
        register: () => registry.register(sample("c")),
        remove: () => registry.remove("a"),
        reload: () => registry.reload([sample("a", 5), sample("c")]),
      }[method];

      expect(await errorOf(call())).toMatchObject({ code: "STORE_IO" });
      expect([idsOf(registry.list()), sets.length, warnings]).toEqual([["a", "b"], 1, []]);
      expect(adapter.created.slice(0, 2).map(({ disposals }) => disposals)).toEqual([0, 0]);
      const { registry: restarted } = await startBench({ store: store.reopen() });
      expect(idsOf(restarted.list())).toEqual(["a", "b"]);
      await registry.register(sample("d"));
      expect(JSON.parse(store.contents)).toEqual([sample("a"), sample("b"), sample("d")]);
    },
  );

  test("again when it is given the old set causes a warning, and the next save corrects the store", async () => {
    // R5.4
    const store = new LateFailingStore();
    const { registry, warnings } = await startBench({ store });
    await registry.register(sample("a"));
    store.lateFailures = 1;
    store.failAfterThat = true;

    expect((await errorOf(registry.register(sample("b")))).code).toBe("STORE_IO");
    expect(idsOf(registry.list())).toEqual(["a"]);
    expect(warnings).toEqual([
      {
        code: "STORE_IO",
        message: "the set in force could not be saved again: the store may hold the refused set",
        cause: expect.objectContaining({ code: "STORE_IO" }),
      },
    ]);
    await registry.register(sample("c"));
    expect(JSON.parse(store.contents)).toEqual([sample("a"), sample("c")]);
  });

  test("again when it is given the old set is corrected by a reload that changes nothing, too", async () => {
    // R1.5 R5.4
    const store = new LateFailingStore();
    const { registry } = await startBench({ store });
    await registry.register(sample("a"));
    store.lateFailures = 1;
    store.failAfterThat = true;
    await errorOf(registry.register(sample("b")));
    await registry.reload([sample("a")]);

    expect(JSON.parse(store.contents)).toEqual([sample("a")]);
  });

  test("because another process saved is not overwritten", async () => {
    const store = new MemoryProviderStore();
    const { registry } = await startBench({ store });
    const other = store.reopen();
    await other.load();
    await other.save([sample("theirs")]);

    for (let attempt = 0; attempt < 2; attempt++) {
      expect((await errorOf(registry.register(sample("ours")))).code).toBe("STORE_CONFLICT");
    }
    expect(JSON.parse(store.contents)).toEqual([sample("theirs")]);
  });

  test("with a foreign error is a STORE_IO", async () => {
    class OddStore extends MemoryProviderStore {
      override save(): Promise<void> {
        throw new Error("odd");
      }
    }
    const { registry } = await startBench({ store: new OddStore() });

    expect((await errorOf(registry.register(sample("a")))).code).toBe("STORE_IO");
  });

  test.each(["before", "after"] as const)(
    "because the process dies %s the write holds one complete set",
    async (when) => {
      // R5.4
      class DyingStore extends MemoryProviderStore {
        isDying = false;

        override async save(...all: Parameters<MemoryProviderStore["save"]>): Promise<void> {
          if (!this.isDying || when === "after") await super.save(...all);
          if (this.isDying) await new Promise(() => {});
        }
      }
      const store = new DyingStore();
      const dead = await startBench({ store });
      const old = [sample("a"), sample("b")];
      const next = [sample("b", 2), sample("c")];
      await dead.registry.reload(old);
      store.isDying = true;
      void dead.registry.reload(next);
      await dead.clock.settle();
      const { registry } = await startBench({ store: store.reopen() });

      expect(dead.registry.list().map(({ descriptor }) => descriptor)).toEqual(old);
      const restored = registry.list().map(({ descriptor }) => descriptor);
      expect(restored).toEqual(when === "before" ? old : next);
    },
  );
});

/** Some saves fail after everything was written, as on a disk that cannot make the file's new name durable. */
class LateFailingStore extends MemoryProviderStore {
  lateFailures = 0;
  /** The save after the last late failure also fails, before anything is written. */
  failAfterThat = false;

  override async save(...all: Parameters<MemoryProviderStore["save"]>): Promise<void> {
    await super.save(...all);
    if (this.lateFailures === 0) return;
    this.lateFailures--;
    if (this.failAfterThat) this.failNext(1);
    throw refusal("STORE_IO");
  }
}
