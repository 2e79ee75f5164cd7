import { createSeededRandom, MemoryProviderStore, VirtualClock } from "@holdfast/testing";
import type { AnyProviderAdapter, ClusterProvider } from "@holdfast/core";
import { memory as memoryKind } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import { ProviderRegistry } from "./provider-registry.ts";
import type { RegistryWarning } from "./registry-events.ts";

type Audit = NonNullable<ClusterProvider["audit"]>;

const insecure: Audit = async () => [
  { code: "CONNECTIVITY_INSECURE", message: "TLS is not verified", details: { setting: "tls" } },
];

/** Creates a registry of memory providers with this audit. */
function setUp(audit: Audit, store = new MemoryProviderStore()) {
  const clock = new VirtualClock();
  const inner = memoryKind.createAdapter();
  const adapter: AnyProviderAdapter = {
    kind: "memory",
    params: inner.params,
    create: (descriptor, context) => Object.assign(inner.create(descriptor, context), { audit }),
  };
  const random = createSeededRandom(1);
  const registry = new ProviderRegistry({ store, adapters: [adapter], clock, random, heartbeatMs: 5_000 });
  const warnings: RegistryWarning[] = [];
  registry.on("warning", (warning) => void warnings.push(warning));
  return { clock, registry, warnings, store };
}

function memory(id: string, priority = 1) {
  return { id, kind: "memory", priority, params: { members: [] } };
}

// R9.3
describe("insecure settings", () => {
  test("are a warning for every provider that comes into force, at every start, and once", async () => {
    const { registry, warnings, clock, store } = setUp(insecure);
    await registry.restore();
    await registry.reload([memory("a")]);
    await clock.settle();
    const warning = {
      code: "CONNECTIVITY_INSECURE",
      message: '"a": TLS is not verified',
      providerId: "a",
      details: { setting: "tls" },
    };
    expect(warnings).toEqual([warning]);
    await registry.reload([memory("a"), memory("b")]);
    await clock.settle();
    expect(warnings.map(({ providerId }) => providerId)).toEqual(["a", "b"]);
    await registry[Symbol.asyncDispose]();

    const again = setUp(insecure, store);
    await again.registry.restore();
    await again.clock.settle();
    expect(again.warnings.map(({ providerId }) => providerId)).toEqual(["a", "b"]);
  });

  test("that cannot be listed are a warning, and no call waits for them", async () => {
    const { registry, warnings, clock } = setUp(() => new Promise(() => {}));
    await registry.restore();
    await registry.register(memory("slow"));
    await clock.advance(5_000);
    expect(warnings).toMatchObject([{ code: "CONNECTIVITY_TIMEOUT", providerId: "slow" }]);
    const failing = setUp(() => {
      throw new Error("no");
    });
    await failing.registry.restore();
    await failing.registry.register(memory("broken"));
    await failing.clock.settle();
    expect(failing.warnings).toMatchObject([{ code: "LIFECYCLE_INTERNAL", providerId: "broken" }]);
  });

  test("in a malformed result are a warning, and cause no unhandled rejection", async () => {
    for (const answer of [7, [undefined]]) {
      const { registry, warnings, clock } = setUp(() => Promise.resolve(answer as never));
      await registry.restore();
      await registry.register(memory("odd"));
      await clock.settle();
      expect(warnings).toMatchObject([{ code: "LIFECYCLE_INTERNAL", providerId: "odd" }]);
    }
  });

  test("are not reported after the registry was disposed of, which leaves no timer", async () => {
    const { registry, warnings, clock } = setUp(() => new Promise(() => {}));
    await registry.restore();
    await registry.register(memory("slow"));
    await registry[Symbol.asyncDispose]();
    await clock.settle();
    expect([warnings, clock.pendingTimers]).toEqual([[], 0]);
  });
});
