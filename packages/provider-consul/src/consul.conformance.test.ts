import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import { CountingClock } from "@holdfast/testing";
import { describe, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { asSeen, FakeConsul } from "../test/fake-consul.ts";

describe("a Consul provider", () => {
  // R2.1 R2.2
  providerConformance({ describe, test, harness: { setup: setUp, lacks: ["endStream"] } });
});

async function setUp(): Promise<ProviderSetup> {
  const fake = await FakeConsul.listen();
  const clock = new CountingClock();
  const heartbeatMs = 150;
  const provider = createTestProvider({ params: { addresses: [fake.address] }, heartbeatMs, clock });
  return {
    provider,
    heartbeatMs,
    time: createRealTime({ slackMs: 3_000 }),
    publish: (nodes) => fake.publish(nodes),
    asSeen,
    breakBackend() {
      fake.handler = (_, response) => response.writeHead(500).end("rpc error: No cluster leader");
      fake.drop();
    },
    hangBackend() {
      fake.isHanging = true;
    },
    repairBackend() {
      fake.handler = undefined;
      fake.resume();
    },
    countOpen: () => fake.openRequests + clock.pendingTimers,
    async teardown() {
      await provider[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}
