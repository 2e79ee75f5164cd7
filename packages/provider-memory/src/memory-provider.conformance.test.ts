import { describe, test } from "vitest";
import { providerConformance } from "@holdfast/conformance";
import { VirtualClock } from "@holdfast/testing";
import { MemoryProvider } from "./memory-provider.ts";

describe("MemoryProvider", () => {
  providerConformance({
    describe,
    test,
    harness: {
      setup() {
        const clock = new VirtualClock();
        const heartbeatMs = 5_000;
        const provider = new MemoryProvider({ id: "memory", clock, heartbeatMs });
        return {
          provider,
          time: clock,
          heartbeatMs,
          publish: (nodes) => provider.set(nodes),
          breakBackend() {
            provider.refuse();
            provider.fail();
          },
          hangBackend: () => provider.hang(),
          repairBackend: () => provider.recover(),
          endStream: () => provider.end(),
          countOpen: () => provider.watches + clock.pendingTimers,
          teardown: () => provider[Symbol.asyncDispose](),
        };
      },
    },
  });
});
