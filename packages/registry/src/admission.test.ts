import { MemoryProviderStore } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { errorOf, idsOf, refusal, sample, startBench, type RegistryBench } from "../test/registry-bench.ts";

const malformed = { ...sample("a"), params: {} };

/** Providers on "/down" refuse their probe. */
function startWithBackends(): Promise<RegistryBench> {
  return startBench({
    script: (provider) => {
      if (provider.descriptor.params.path === "/down") provider.onProbe = () => Promise.reject(refusal());
    },
  });
}

async function codesOf(calls: readonly (() => Promise<unknown>)[]): Promise<readonly string[]> {
  const codes: string[] = [];
  for (const call of calls) codes.push((await errorOf(call())).code);
  return codes;
}

describe("after three failures in a row", () => {
  test("attempts of that id are refused for a minute, with one warning and without a probe", async () => {
    // R5.2
    const { registry, warnings, adapter, clock } = await startWithBackends();
    const down = () => registry.register(sample("a", 1, "/down"));
    const codes = await codesOf([
      () => registry.register(malformed),
      down,
      () => registry.reload([malformed]),
    ]);
    expect(codes).toEqual(["VALIDATION_MISSING_FIELD", "CONNECTIVITY_REFUSED", "VALIDATION_MISSING_FIELD"]);
    const created = adapter.created.length;
    await clock.advance(10_000);
    const errors = [
      await errorOf(down()),
      await errorOf(registry.register(malformed)),
      await errorOf(registry.reload([sample("b"), sample("a", 1, "/down")])),
    ];

    for (const error of errors) {
      expect(error.code).toBe("VALIDATION_SUPPRESSED");
      expect(error.retryable).toBe(true);
      const suppression = { providerId: "a", failures: 3, retryAfterMs: 50_000 };
      expect(error.details).toEqual({ ...suppression, suppressed: [suppression] });
    }
    expect(adapter.created).toHaveLength(created);
    expect(warnings).toEqual([
      {
        code: "VALIDATION_SUPPRESSED",
        message:
          '"a" failed 3 times in a row, last with VALIDATION_MISSING_FIELD; attempts are refused for 60000 ms',
        providerId: "a",
      },
    ]);
  });

  test("a corrected definition is accepted at once, after bad reloads too", async () => {
    // R5.2
    const { registry } = await startWithBackends();
    await registry.register(sample("b"));
    const bad = [
      () => registry.reload([sample("b"), malformed]),
      () => registry.reload([sample("b"), sample("a", 1, "/down")]),
      () => registry.reload([sample("b"), malformed]),
    ];
    await codesOf(bad);
    expect(await codesOf(bad.slice(1))).toEqual(["VALIDATION_SUPPRESSED", "VALIDATION_SUPPRESSED"]);
    await registry.reload([sample("b"), sample("a")]);

    expect(idsOf(registry.list())).toEqual(["a", "b"]);
  });

  test("suppression ends by the monotonic clock, whatever the wall clock shows, and the count is reset", async () => {
    // R5.2
    const { registry, warnings, clock } = await startBench();
    const fail = () => registry.register(malformed);
    clock.jump(-3_600_000);
    await codesOf([fail, fail, fail]);
    clock.jump(7_200_000);
    await clock.advance(59_999);
    expect(await codesOf([fail])).toEqual(["VALIDATION_SUPPRESSED"]);
    await clock.advance(1);

    expect(await codesOf([fail, fail])).toEqual(["VALIDATION_MISSING_FIELD", "VALIDATION_MISSING_FIELD"]);
    expect(warnings).toHaveLength(1);
    await registry.register(sample("a"));
    expect(idsOf(registry.list())).toEqual(["a"]);
  });

  test("other ids are accepted", async () => {
    const { registry } = await startBench();
    await codesOf(Array.from({ length: 4 }, () => () => registry.register(malformed)));
    await registry.register(sample("b"));

    expect(idsOf(registry.list())).toEqual(["b"]);
  });

  test("the threshold and the time can be set", async () => {
    const { registry, clock } = await startBench({ suppressAfter: 1, suppressMs: 10 });
    const fail = () => registry.register(malformed);

    expect(await codesOf([fail, fail])).toEqual(["VALIDATION_MISSING_FIELD", "VALIDATION_SUPPRESSED"]);
    await clock.advance(10);
    await registry.register(sample("a"));
  });
});

describe("what does not count", () => {
  test("a success resets the count", async () => {
    // R5.2
    const { registry } = await startBench();
    const fail = () => registry.register(malformed);
    await codesOf([fail, fail]);
    await registry.register(sample("a"));
    await registry.remove("a");

    expect(await codesOf([fail, fail, fail, fail])).toEqual([
      "VALIDATION_MISSING_FIELD",
      "VALIDATION_MISSING_FIELD",
      "VALIDATION_MISSING_FIELD",
      "VALIDATION_SUPPRESSED",
    ]);
  });

  test("a reload counts a failure only for the providers that failed themselves", async () => {
    const { registry } = await startWithBackends();
    const reload = () => registry.reload([sample("fine"), sample("a", 1, "/down")]);
    await codesOf([reload, reload, reload]);
    await registry.register(sample("fine"));

    expect(await codesOf([reload])).toEqual(["VALIDATION_SUPPRESSED"]);
  });

  test("an unchanged entry of a reload is not an attempt", async () => {
    const { registry } = await startWithBackends();
    await registry.register(sample("a"));
    const change = () => registry.reload([sample("a", 1, "/down")]);
    await codesOf([change, change, change]);
    expect(await codesOf([change])).toEqual(["VALIDATION_SUPPRESSED"]);
    await registry.reload([sample("a"), sample("b")]);

    expect(idsOf(registry.list())).toEqual(["a", "b"]);
  });

  test("an attempt with a taken id is not counted against the registered provider", async () => {
    const { registry, warnings } = await startBench();
    await registry.register(sample("a"));
    const again = () => registry.register(sample("a", 2));

    expect(await codesOf([again, again, again, again])).toEqual(Array(4).fill("VALIDATION_DUPLICATE_ID"));
    const twice = () => registry.reload([sample("b"), sample("b")]);
    expect(await codesOf([twice, twice, twice, twice])).toEqual(Array(4).fill("VALIDATION_DUPLICATE_ID"));
    expect(warnings).toEqual([]);
    await registry.reload([sample("a", 2), sample("b")]);
  });

  test("a call that was aborted", async () => {
    const { registry, clock } = await startBench({
      script: (provider) => {
        provider.onProbe = () => new Promise(() => {});
      },
    });
    for (let i = 0; i < 4; i++) {
      const stop = new AbortController();
      const call = errorOf(registry.register(sample("a"), { signal: stop.signal }));
      await clock.settle();
      stop.abort();
      expect((await call).code).toBe("LIFECYCLE_ABORTED");
    }
  });

  test("a store that failed", async () => {
    const store = new MemoryProviderStore();
    const { registry } = await startBench({ store });
    const register = () => {
      store.failNext(1);
      return registry.register(sample("a"));
    };

    expect(await codesOf([register, register, register, register])).toEqual(Array(4).fill("STORE_IO"));
    await registry.register(sample("a"));
  });
});
