import { syncBuiltinESMExports } from "node:module";
import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import { CountingClock } from "@holdfast/testing";
import { setupServer } from "msw/node";
import { afterAll, beforeAll, describe, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { asSeen } from "../test/fake-api-server.ts";
import { MockedApiServer } from "../test/mocked-api-server.ts";

const network = setupServer();
let mocks = 0;

beforeAll(() => {
  network.listen({ onUnhandledFrame: "error" });
  // Named imports of node:http get the replacement of msw only with this call.
  syncBuiltinESMExports();
});

afterAll(() => {
  network.close();
  syncBuiltinESMExports();
});

describe("a Kubernetes provider on mocked HTTP", () => {
  // R2.1 R2.2 R5.6
  providerConformance({ describe, test, harness: { setup: setUp, lacks: ["endStream"] } });
});

function setUp(): ProviderSetup {
  const server = new MockedApiServer(`mock-${++mocks}`);
  network.use(server.handler);
  const clock = new CountingClock();
  const heartbeatMs = 300;
  const provider = createTestProvider({ params: { server: server.address }, heartbeatMs, clock });
  return {
    provider,
    heartbeatMs,
    time: createRealTime({ slackMs: 3_000 }),
    publish: (nodes) => server.publish(nodes),
    asSeen,
    breakBackend: () => server.setMode("broken"),
    hangBackend: () => server.setMode("hangs"),
    repairBackend: () => server.setMode("works"),
    countOpen: () => clock.pendingTimers,
    async teardown() {
      await provider[Symbol.asyncDispose]();
      // Lets waiting requests end.
      server.setMode("broken");
    },
  };
}
