import { providerConformance } from "@holdfast/conformance";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { MemoryProvider } from "@holdfast/provider-memory";
import { describe, test } from "vitest";
import { FailoverAsProvider } from "../test/failover-as-provider.ts";

// Failover over two providers keeps the same promises as a single provider. Its stream does not end by itself.
describe("failover over two memory providers", () => {
  providerConformance({
    describe,
    test,
    harness: {
      lacks: ["endStream"],
      setup() {
        const clock = new VirtualClock();
        const heartbeatMs = 5_000;
        const make = (id: string, priority: number) =>
          new MemoryProvider({ id, priority, clock, heartbeatMs });
        const providers = [make("primary", 2), make("backup", 1)];
        const random = createSeededRandom(5);
        const provider = new FailoverAsProvider({ providers, clock, random });
        return {
          provider,
          time: clock,
          heartbeatMs,
          patienceMs: 60_000,
          publish: (nodes) => providers.forEach((each) => each.set(nodes)),
          breakBackend() {
            for (const each of providers) {
              each.refuse();
              each.fail();
            }
          },
          hangBackend: () => providers.forEach((each) => each.hang()),
          repairBackend: () => providers.forEach((each) => each.recover()),
          countOpen: () => providers.reduce((sum, each) => sum + each.watches, clock.pendingTimers),
          async teardown() {
            await provider[Symbol.asyncDispose]();
            for (const each of providers) await each[Symbol.asyncDispose]();
          },
        };
      },
    },
  });
});
