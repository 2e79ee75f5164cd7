import { registrarConformance, type RegistrarSetup } from "@holdfast/conformance";
import { RealIoTime } from "@holdfast-apps/test-support";
import { VirtualClock } from "@holdfast/testing";
import { describe, test } from "vitest";
import { FakeConsulAgent } from "../test/fake-consul-agent.ts";
import { consulRegistrar } from "./consul-registrar.ts";

// R8.4
describe("with a TTL check", () => {
  registrarConformance({ describe, test, harness: { setup: () => setUp(), lacks: ["detectOwner"] } });
});

describe("with an HTTP check", () => {
  const check = { http: "http://127.0.0.1:1/readyz" };
  registrarConformance({
    describe,
    test,
    harness: { setup: () => setUp({ check }), lacks: ["detectOwner", "expire"] },
  });
});

async function setUp(params: object = {}): Promise<RegistrarSetup> {
  const clock = new VirtualClock();
  const agent = await FakeConsulAgent.listen(clock);
  return {
    registrar: consulRegistrar({ service: "orders", address: agent.address, ttlMs: 1_000, ...params }),
    clock,
    time: new RealIoTime(clock),
    list: () => agent.passing,
    loseData: () => agent.loseData(),
    breakBackend: () =>
      void (agent.respond = (_, response) => response.writeHead(500).end("No cluster leader")),
    hangBackend: () => void (agent.respond = () => undefined),
    repairBackend: () => void (agent.respond = undefined),
    countOpen: () => agent.openSockets + clock.pendingTimers,
    teardown: () => agent[Symbol.asyncDispose](),
  };
}
