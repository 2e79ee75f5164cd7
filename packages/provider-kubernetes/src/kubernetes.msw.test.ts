import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import { CountingClock } from "@holdfast/testing";
import { HttpRequestInterceptor } from "@mswjs/interceptors/http";
import { defineNetwork, InterceptorSource } from "msw/experimental";
import { afterAll, beforeAll, describe, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { asSeen } from "../test/fake-api-server.ts";
import { MockedApiServer } from "../test/mocked-api-server.ts";

// `setupServer` does not reach undici.
const network = defineNetwork({
  sources: [new InterceptorSource({ interceptors: [new HttpRequestInterceptor()] })],
  onUnhandledFrame: "error",
  // Or it prints every request.
  context: { quiet: true },
});
let mocks = 0;

beforeAll(() => network.enable());
afterAll(() => network.disable());

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
    breakBackend: () => server.become("broken"),
    hangBackend: () => server.become("hangs"),
    repairBackend: () => server.become("works"),
    countOpen: () => clock.pendingTimers,
    async teardown() {
      await provider[Symbol.asyncDispose]();
      // What still waits is let go.
      server.become("broken");
    },
  };
}
