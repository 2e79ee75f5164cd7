import type { ErrorCode } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { errorOf, idsOf, refusal, sample, startBench, type BenchOptions } from "../test/registry-bench.ts";

type OnProbe = (options: { signal: AbortSignal }) => Promise<void>;

function probing(onProbe: OnProbe): BenchOptions {
  return {
    script: (provider) => {
      provider.onProbe = onProbe;
    },
  };
}

const neverSettles: OnProbe = () => new Promise(() => {});

describe("a provider is accepted only once its connectivity is proven", () => {
  test.each<ErrorCode>([
    "CONNECTIVITY_REFUSED",
    "CONNECTIVITY_TIMEOUT",
    "CONNECTIVITY_UNAUTHORIZED",
    "CONNECTIVITY_TLS",
    "CONNECTIVITY_SECRET_UNAVAILABLE",
    "STREAM_INVALID_DATA",
  ])("%s is passed on unchanged", async (code) => {
    // R1.4
    const error = refusal(code);
    const { registry, adapter, sets, clock } = await startBench(probing(() => Promise.reject(error)));

    expect(await errorOf(registry.register(sample("a")))).toBe(error);
    expect([registry.list(), sets]).toEqual([[], []]);
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([1]);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each<[string, OnProbe]>([
    ["heeds no signal", neverSettles],
    [
      "rejects with an error other than the reason of its signal when it is aborted",
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
    ],
  ])("a probe that hangs and %s is a timeout after 5 seconds", async (_, onProbe) => {
    // R1.4
    const { registry, adapter, clock } = await startBench(probing(onProbe));
    let isOver = false;
    const call = errorOf(registry.register(sample("a"))).finally(() => (isOver = true));
    await clock.advance(4_999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    const error = await call;

    expect(error.code).toBe("CONNECTIVITY_TIMEOUT");
    expect(error.message).toContain('the probe of "a" did not finish within 5000 ms');
    expect(adapter.created.map(({ disposals }) => disposals)).toEqual([1]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("the time limit can be set", async () => {
    const { registry, clock } = await startBench({ ...probing(neverSettles), probeTimeoutMs: 50 });
    const call = errorOf(registry.register(sample("a")));
    await clock.advance(50);

    expect((await call).code).toBe("CONNECTIVITY_TIMEOUT");
  });

  test.each<[string, OnProbe]>([
    ["rejects", () => Promise.reject(new TypeError("bug"))],
    [
      "throws",
      () => {
        throw new TypeError("bug");
      },
    ],
  ])("a probe that %s with a foreign error counts as refused", async (_, onProbe) => {
    const { registry } = await startBench(probing(onProbe));
    const error = await errorOf(registry.register(sample("a")));

    expect(error.code).toBe("CONNECTIVITY_REFUSED");
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  test("the providers of a set are proven at the same time", async () => {
    // R1.4
    const { registry, adapter, clock } = await startBench(probing(neverSettles));
    const call = errorOf(registry.reload([sample("a"), sample("b"), sample("c")]));
    await clock.settle();
    expect(adapter.created.map(({ probes }) => probes)).toEqual([1, 1, 1]);
    await clock.advance(5_000);

    expect((await call).details["failures"]).toEqual(
      ["a", "b", "c"].map((providerId) =>
        expect.objectContaining({ providerId, code: "CONNECTIVITY_TIMEOUT" }),
      ),
    );
  });
});

describe('with probe: "warn"', () => {
  test("a provider whose probe fails is accepted, and a warning gives the reason once it is in force", async () => {
    const error = refusal("CONNECTIVITY_TLS");
    const { registry, warnings } = await startBench({
      ...probing(() => Promise.reject(error)),
      probe: "warn",
    });
    const seen: unknown[] = [];
    registry.on("warning", () => seen.push(idsOf(registry.list())));
    const { provider } = await registry.register(sample("a"));

    expect(provider).toBeDefined();
    expect(seen).toEqual([["a"]]);
    expect(warnings).toEqual([
      {
        code: "CONNECTIVITY_TLS",
        message: expect.stringContaining('"a" is accepted without a proven connection'),
        providerId: "a",
        cause: error,
      },
    ]);
  });

  test("a call that is aborted during the probe accepts no provider", async () => {
    const { registry, clock, warnings } = await startBench({ ...probing(neverSettles), probe: "warn" });
    const stop = new AbortController();
    const call = errorOf(registry.register(sample("a"), { signal: stop.signal }));
    await clock.settle();
    stop.abort();

    expect((await call).code).toBe("LIFECYCLE_ABORTED");
    expect([registry.list(), warnings]).toEqual([[], []]);
  });
});
