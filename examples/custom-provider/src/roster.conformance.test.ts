import { describe, test } from "node:test";
import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import { CountingClock } from "@holdfast/testing";
import { createAdapter } from "./roster.ts";
import { RosterServer } from "./roster-server.ts";

// The requirements for every provider. Each test gets a new server.
providerConformance({ describe, test, harness: { setup: setUp } });

async function setUp(): Promise<ProviderSetup> {
  const server = await RosterServer.listen();
  const clock = new CountingClock();
  const heartbeatMs = 200;
  const adapter = createAdapter();
  const params = adapter.params.parse({ url: server.url });
  const descriptor = { id: "test", kind: adapter.kind, priority: 1, params };
  const provider = adapter.create(descriptor, { clock, random: () => 0.5, heartbeatMs });
  return {
    provider,
    heartbeatMs,
    time: createRealTime(),
    publish: (nodes) => server.set(nodes),
    breakBackend: () => server.behave("failing"),
    hangBackend: () => server.behave("hanging"),
    repairBackend: () => server.behave("working"),
    endStream: () => server.endStreams(),
    countOpen: () => server.openRequests + clock.pendingTimers,
    async teardown() {
      await provider[Symbol.asyncDispose]();
      await server.close();
    },
  };
}
