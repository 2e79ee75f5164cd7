import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import { CountingClock } from "@holdfast/testing";
import { sleep, systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { answer, asSeen, FakeApiServer, podsOf, toSlices } from "../test/fake-api-server.ts";
import { kubernetes } from "./kubernetes.ts";

const HEARTBEAT_MS = 150;
const NEIGHBOURS = ["one", "two", "three", "four"];

// R2.1 R2.2 R7.1
describe("a Kubernetes provider that shares its watch with others, which watch all the time", () => {
  providerConformance({ describe, test, harness: { setup: setUpCrowd, lacks: ["endStream", "countOpen"] } });
});

describe("a Kubernetes provider that uses the watch of its namespace alone", () => {
  providerConformance({ describe, test, harness: { setup: setUpAlone, lacks: ["endStream"] } });
});

interface Shared extends ProviderSetup {
  readonly fake: FakeApiServer;
}

async function setUpAlone(): Promise<Shared> {
  const clock = new CountingClock();
  const fake = await FakeApiServer.listen();
  fake.secondMs = 80;
  for (const name of NEIGHBOURS) fake.put(podsOf(name, `${name}-1`, name));
  const adapter = kubernetes.createAdapter();
  const provider = createTestProvider({
    adapter,
    params: { server: fake.address, pageSize: 2, watch: "namespace" },
    heartbeatMs: HEARTBEAT_MS,
    clock,
  });
  const neighbours = [...fake.slices.values()];
  return {
    fake,
    provider,
    heartbeatMs: HEARTBEAT_MS,
    time: createRealTime({ slackMs: 3_000 }),
    publish: (nodes) => fake.replace([...neighbours, ...toSlices(nodes)]),
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

/** The same with neighbours that watch, and watch again after each error. Each of them must always report its own Service. */
async function setUpCrowd(): Promise<Shared> {
  const adapter = kubernetes.createAdapter();
  const clock = systemClock;
  const alone = await setUpAlone();
  await alone.provider[Symbol.asyncDispose]();
  const { fake } = alone;
  const params = { server: fake.address, pageSize: 2 };
  const provide = (service: string) =>
    createTestProvider({ adapter, params: { ...params, service }, heartbeatMs: HEARTBEAT_MS, clock });
  const provider = provide("web");
  const neighbours = NEIGHBOURS.map((name) => ({ name, provider: provide(name) }));
  const stop = new AbortController();
  const { signal } = stop;
  const wrong: unknown[] = [];
  const running = neighbours.map(async ({ name, provider: neighbour }) => {
    while (!signal.aborted) {
      try {
        for await (const event of neighbour.watch({ signal })) {
          if (event.type !== "snapshot") continue;
          const ids = Array.from(event.snapshot.members, ({ id }) => id);
          if (ids.join() !== name) wrong.push({ name, ids });
        }
      } catch {
        await sleep(20, { clock, signal }).catch(() => undefined);
      }
    }
    await neighbour[Symbol.asyncDispose]();
  });
  return {
    ...alone,
    provider,
    async teardown() {
      stop.abort();
      await provider[Symbol.asyncDispose]();
      await Promise.all(running);
      expect(wrong).toEqual([]);
      await fake[Symbol.asyncDispose]();
    },
  };
}
