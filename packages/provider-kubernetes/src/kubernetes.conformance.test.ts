import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import { CountingClock } from "@holdfast/testing";
import { describe, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { answer, asSeen, FakeApiServer } from "../test/fake-api-server.ts";

describe("a Kubernetes provider", () => {
  // R2.1 R2.2
  providerConformance({ describe, test, harness: { setup: setUp, lacks: ["endStream"] } });
});

async function setUp(): Promise<ProviderSetup> {
  const fake = await FakeApiServer.listen();
  fake.secondMs = 80;
  const clock = new CountingClock();
  const heartbeatMs = 150;
  const provider = createTestProvider({ params: { server: fake.address, pageSize: 2 }, heartbeatMs, clock });
  return {
    provider,
    heartbeatMs,
    time: createRealTime({ slackMs: 3_000 }),
    publish: (nodes) => fake.publish(nodes),
    asSeen,
    breakBackend() {
      fake.handler = (_, response) => answer(response, 500, { kind: "Status", code: 500 });
      fake.drop();
    },
    hangBackend() {
      fake.isHanging = true;
    },
    repairBackend() {
      fake.handler = undefined;
      fake.isHanging = false;
    },
    countOpen: () => fake.openRequests + clock.pendingTimers,
    async teardown() {
      await provider[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}
