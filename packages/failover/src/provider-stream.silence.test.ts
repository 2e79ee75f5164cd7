import { VirtualClock } from "@holdfast/testing";
import { EventChannel, type ClusterProvider, type SourceEvent } from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { expect, test } from "vitest";
import { toHealthPolicy } from "./health-policy.ts";
import { ProviderStream } from "./provider-stream.ts";

// R2.6
test("a watch that ends as soon as its signal aborts is reported as silent, not as ended by the backend", async () => {
  const clock = new VirtualClock();
  const { descriptor, capabilities } = new MemoryProvider({ id: "silent", clock });
  const provider: ClusterProvider = {
    descriptor,
    capabilities,
    probe: () => Promise.resolve(),
    watch: ({ signal }) => new EventChannel<SourceEvent>(signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const signals: string[] = [];
  const policy = toHealthPolicy({});
  const onSignal = ({ type }: { readonly type: string }) => signals.push(type);
  const stream = new ProviderStream({ provider, policy, clock, random: () => 0.9, onSignal });
  await clock.advance(policy.timeoutMs);
  expect(signals).toEqual(["connecting", "silent"]);
  await stream[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});
