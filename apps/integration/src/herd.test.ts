import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import {
  sleep,
  type Clock,
  type ClusterProvider,
  type ProviderContext,
  type ProviderSnapshot,
  type Random,
} from "@holdfast/core";
import { DEFAULT_HEALTH_POLICY, Failover, heartbeatMsOf } from "@holdfast/failover";
import { SimulatedConsul } from "@holdfast/provider-consul/simulated";
import { SimulatedApiServer } from "@holdfast/provider-kubernetes/simulated";
import { describe, expect, inject, test } from "vitest";
import { rateOf, type RequestRate } from "./request-rate.ts";

// The server and the connections to it are simulated. The watch loops of the adapters and failover are real.

const CLIENTS = inject("isLong") ? 1_000 : 300;
const HEARTBEAT_MS = heartbeatMsOf(DEFAULT_HEALTH_POLICY);

interface Server {
  readonly received: readonly { readonly at: number; readonly client: string; readonly kind: string }[];
  createProvider(id: string, context: ProviderContext): ClusterProvider;
  publish(...names: readonly string[]): void;
  stop(): void;
  start(): void;
}

interface Herd {
  /** The rate before the restart. */
  readonly steady: RequestRate;
  readonly after: RequestRate;
  /** The minimum and maximum number of requests of a kind that one client made after the restart. */
  perClient(kind: string): readonly [min: number, max: number];
}

interface Restart {
  readonly open: (clock: Clock, random: Random) => Server;
  readonly downMs: number;
  /** Whether the content changes while the server is down. */
  readonly isChanged: boolean;
}

const names = (snapshot: ProviderSnapshot | undefined): string =>
  Array.from(snapshot?.members ?? [], ({ id }) => id).join();

/** Simulates many clients of a server that closes all connections and is down for some time. */
async function restart({ open, downMs, isChanged }: Restart): Promise<Herd> {
  const clock = new VirtualClock();
  const random = createSeededRandom(1);
  const server = open(clock, random);
  server.publish("a", "b");
  const stop = new AbortController();
  const { signal } = stop;
  const received = new Map<string, ProviderSnapshot>();
  const clients = Array.from({ length: CLIENTS }, (_, i) => `client-${i}`);
  const running = clients.map(async (id) => {
    await sleep(random() * 10_000, { clock, signal });
    const provider = server.createProvider(id, { clock, random, heartbeatMs: HEARTBEAT_MS });
    await using failover = new Failover({ providers: [provider], clock, random });
    let last: ProviderSnapshot | undefined;
    await failover.run({
      signal,
      onUpdate({ snapshot }) {
        if (snapshot !== undefined && snapshot !== last) received.set(id, snapshot);
        last = snapshot;
      },
    });
    await provider[Symbol.asyncDispose]();
  });
  await clock.advance(14_000);
  const steadyAt = clock.monotonic();
  await clock.advance(8_000);
  expect(clients.filter((id) => names(received.get(id)) === "a,b")).toHaveLength(CLIENTS);
  received.clear();
  const stoppedAt = clock.monotonic();
  server.stop();
  if (isChanged) server.publish("b", "c");
  await clock.advance(downMs);
  const startedAt = clock.monotonic();
  server.start();
  const isBack = (id: string) => names(received.get(id)) === (isChanged ? "b,c" : "a,b");
  while (!clients.every(isBack) && clock.monotonic() - startedAt < 60_000) await clock.advance(1_000);
  expect(clients.filter(isBack)).toHaveLength(CLIENTS);
  // Includes the next round of requests, because clients that reconnected together could continue in step.
  await clock.advance(6_000);
  stop.abort();
  await Promise.all(running);
  expect(clock.pendingTimers).toBe(0);
  const times = server.received.map(({ at }) => at);
  const after = server.received.filter(({ at }) => at >= startedAt);
  return {
    steady: rateOf(times, steadyAt, stoppedAt),
    after: rateOf(times, startedAt, Number.POSITIVE_INFINITY),
    perClient(kind) {
      const counts = Map.groupBy(
        after.filter((request) => request.kind === kind),
        ({ client }) => client,
      );
      const each = clients.map((id) => counts.get(id)?.length ?? 0);
      return [Math.min(...each), Math.max(...each)];
    },
  };
}

const openKubernetes =
  (forgets: boolean, changesEveryMs?: number) =>
  (clock: Clock, random: Random): Server => {
    const server = new SimulatedApiServer({ clock, random, changesEveryMs });
    return Object.assign(server, { start: server.start.bind(server, { forgets }) });
  };

const openConsul =
  (forgets: boolean) =>
  (clock: Clock, random: Random): Server => {
    const server = new SimulatedConsul({ clock, random });
    return Object.assign(server, { start: server.start.bind(server, { forgets }) });
  };

function expectNoStampede({ steady, after }: Herd): void {
  const ratio = after.peak / steady.mean;
  console.log(
    `${steady.mean} requests per second before, at most ${after.peak} after: ratio ${ratio.toFixed(2)}`,
  );
  expect(ratio).toBeLessThanOrEqual(3);
}

describe(`a restart with ${CLIENTS} clients`, { timeout: 90_000 }, () => {
  test.runIf(inject("isLong"))(
    "of one of several Kubernetes API servers makes no client list again",
    async () => {
      const herd = await restart({ open: openKubernetes(false, 100), downMs: 0, isChanged: true });
      expectNoStampede(herd);
      expect(herd.perClient("list")).toEqual([0, 0]);
    },
  );

  test.runIf(inject("isLong"))("without a change of the content makes no client list again", async () => {
    const herd = await restart({ open: openKubernetes(false, 100), downMs: 0, isChanged: false });
    expectNoStampede(herd);
    expect(herd.perClient("list")).toEqual([0, 0]);
  });

  test.each(inject("isLong") ? [0, 10_000] : [10_000])(
    "of the only API server, down for %i ms, makes each client list once, because the server no longer knows their versions",
    async (downMs) => {
      const herd = await restart({ open: openKubernetes(true, 100), downMs, isChanged: true });
      expectNoStampede(herd);
      expect(herd.perClient("list")).toEqual([1, 1]);
    },
  );

  test.runIf(inject("isLong"))("of Consul makes each client read once", async () => {
    const herd = await restart({ open: openConsul(false), downMs: 0, isChanged: true });
    expectNoStampede(herd);
    expect(herd.perClient("read")).toEqual([1, 1]);
  });

  test("of a Consul that lost its data makes each client read twice, because its index is lower than before", async () => {
    const herd = await restart({ open: openConsul(true), downMs: 0, isChanged: true });
    expectNoStampede(herd);
    expect(herd.perClient("read")).toEqual([2, 2]);
  });
});
