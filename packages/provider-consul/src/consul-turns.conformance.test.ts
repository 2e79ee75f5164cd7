import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import { sleep, systemClock, type ClusterProvider } from "@holdfast/core";
import { CountingClock } from "@holdfast/testing";
import { afterAll, describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { asSeen, FakeConsul, toEntry } from "../test/fake-consul.ts";
import { consul } from "./consul.ts";

/** The watches of other services have all blocking queries, so the tested one takes turns. */
const OTHERS = 8;

let turns = 0;
let queries = 0;

describe("a Consul provider that takes turns", () => {
  // R2.1 R2.2 R7.1
  providerConformance({ describe, test, harness: { setup: setUp, lacks: ["endStream"] } });

  afterAll(() => {
    expect(turns).toBeGreaterThan(20);
    // After an interruption it may get a query of its own before another service.
    expect(queries).toBeLessThan(turns / 2);
  });
});

async function setUp(): Promise<ProviderSetup> {
  const fake = await FakeConsul.listen();
  const adapter = consul.createAdapter();
  const heartbeatMs = 150;
  const others = Array.from({ length: OTHERS }, (_, i) => {
    fake.setService(`other-${i}`, [toEntry({ id: "a", host: "10.0.0.1", port: 80 })]);
    const params = { addresses: [fake.address], service: `other-${i}`, maxBlockingQueries: OTHERS };
    return createTestProvider({ adapter, heartbeatMs, params });
  });
  const stop = new AbortController();
  const running = others.map((each) => follow(each, stop.signal));
  while (fake.blocked < OTHERS) await sleep(1, { clock: systemClock });
  fake.setService("web", []);
  const clock = new CountingClock();
  const params = { addresses: [fake.address], maxBlockingQueries: OTHERS };
  const provider = createTestProvider({ adapter, params, heartbeatMs, clock });
  return {
    provider,
    heartbeatMs,
    time: createRealTime({ slackMs: 3_000 }),
    publish: (nodes) => fake.setService("web", nodes.map(toEntry)),
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
    countOpen: () => fake.openRequestsFor("web") + clock.pendingTimers,
    async teardown() {
      const paths = fake.requests.filter((path) => path.startsWith("/v1/health/service/web?"));
      turns += paths.filter((path) => path.includes("filter=") && path.includes("index=")).length;
      queries += paths.filter((path) => path.includes("wait=50000ms")).length;
      stop.abort();
      await Promise.all(running);
      for (const each of [...others, provider]) await each[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** Watches until the signal aborts, and starts again at once after an error. */
async function follow(provider: ClusterProvider, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const _ of provider.watch({ signal }));
    } catch {
      await sleep(1, { clock: systemClock });
    }
  }
}
