import { systemClock, type AnyProviderAdapter } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { InstanceDisposal } from "./instance-disposal.ts";
import { ProviderFactory } from "./provider-factory.ts";

const descriptor = { id: "a", kind: "odd", priority: 1, params: {} };
const complete = {
  descriptor,
  capabilities: { watch: true },
  probe: () => Promise.resolve(),
  // oxlint-disable-next-line eslint/no-empty-function -- a watch without events
  async *watch() {},
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Returns the registered provider. `created` is the value that the adapter's `create` returns. */
function register(created: unknown): unknown {
  const factory = new ProviderFactory({
    context: { clock: systemClock, random: () => 0.5, heartbeatMs: 1_000 },
    disposal: new InstanceDisposal(() => {}),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- these adapters break their contract
  const adapter = { kind: "odd", params: z.unknown(), create: () => created } as AnyProviderAdapter;
  return factory.create({ descriptor, adapter, params: {} });
}

describe("a provider that an adapter creates", () => {
  test("is registered when it has everything that a provider must have", () => {
    expect(register(complete)).toEqual({ descriptor, provider: complete });
  });

  test.each<[string, unknown, string]>([
    ["without capabilities", { ...complete, capabilities: undefined }, "capabilities.watch"],
    ["without functions", { capabilities: { watch: true } }, "probe, watch, [Symbol.asyncDispose]"],
    ["as a promise", Promise.resolve(complete), "capabilities.watch, probe, watch, [Symbol.asyncDispose]"],
    ["as undefined", undefined, "capabilities.watch, probe, watch, [Symbol.asyncDispose]"],
  ])("%s is refused, and the error names what it lacks", (_, created, missing) => {
    const message = `the adapter of kind "odd" created "a" without ${missing}`;
    expect(() => register(created)).toThrow(
      expect.objectContaining({ code: "LIFECYCLE_INTERNAL", message: expect.stringContaining(message) }),
    );
  });
});
