import { syncBuiltinESMExports } from "node:module";
import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import { CountingClock } from "@holdfast/testing";
import { setupServer } from "msw/node";
import { afterAll, beforeAll, describe, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { asSeen } from "../test/fake-consul.ts";
import { MockedConsul } from "../test/mocked-consul.ts";

const server = setupServer();
let mocks = 0;

beforeAll(() => {
  server.listen({ onUnhandledFrame: "error" });
  // Named imports of node:http get the replacement of msw only with this call.
  syncBuiltinESMExports();
});

afterAll(() => {
  server.close();
  syncBuiltinESMExports();
});

describe("a Consul provider on mocked HTTP", () => {
  // R2.1 R2.2 R5.6
  providerConformance({ describe, test, harness: { setup: setUp, lacks: ["endStream"] } });
});

function setUp(): ProviderSetup {
  const consul = new MockedConsul(`mock-${++mocks}`);
  server.use(...consul.handlers);
  const clock = new CountingClock();
  const heartbeatMs = 150;
  const provider = createTestProvider({ params: { addresses: [consul.address] }, heartbeatMs, clock });
  return {
    provider,
    heartbeatMs,
    time: createRealTime({ slackMs: 3_000 }),
    publish: (nodes) => consul.publish(nodes),
    asSeen,
    breakBackend: () => consul.setMode("broken"),
    hangBackend: () => consul.setMode("hangs"),
    repairBackend: () => consul.setMode("works"),
    countOpen: () => clock.pendingTimers,
    async teardown() {
      await provider[Symbol.asyncDispose]();
      // Lets waiting requests end.
      consul.setMode("broken");
    },
  };
}
