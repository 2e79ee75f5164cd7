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

// What is simulated is the server and the way to it. The watch loops of the adapters and the fail-over are the real ones.

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
  /** A second of what went on before. */
  readonly steady: RequestRate;
  readonly after: RequestRate;
  /** How many requests of a kind each client made after the restart, the fewest and the most. */
  perClient(kind: string): readonly [fewest: number, most: number];
}

interface Restart {
  readonly open: (clock: Clock, random: Random) => Server;
  readonly downMs: number;
  /** Whether the content changes while it is down. */
  readonly isNews: boolean;
}

const names = (snapshot: ProviderSnapshot | undefined): string =>
  Array.from(snapshot?.members ?? [], ({ id }) => id).join();

/** Many clients of a server that breaks all connections and is down for a while. */
async function restart({ open, downMs, isNews }: Restart): Promise<Herd> {
  const clock = new VirtualClock();
  const random = createSeededRandom(1);
  const server = open(clock, random);
  server.publish("a", "b");
  const stop = new AbortController();
  const { signal } = stop;
  const shown = new Map<string, ProviderSnapshot>();
  const clients = Array.from({ length: CLIENTS }, (_, i) => `client-${i}`);
  const running = clients.map(async (id) => {
    await sleep(random() * 10_000, { clock, signal });
    const provider = server.createProvider(id, { clock, random, heartbeatMs: HEARTBEAT_MS });
    await using failover = new Failover({ providers: [provider], clock, random });
    let last: ProviderSnapshot | undefined;
    await failover.run({
      signal,
      onUpdate({ snapshot }) {
        if (snapshot !== undefined && snapshot !== last) shown.set(id, snapshot);
        last = snapshot;
      },
    });
    await provider[Symbol.asyncDispose]();
  });
  await clock.advance(14_000);
  const steadyAt = clock.monotonic();
  await clock.advance(8_000);
  expect(clients.filter((id) => names(shown.get(id)) === "a,b")).toHaveLength(CLIENTS);
  shown.clear();
  const stoppedAt = clock.monotonic();
  server.stop();
  if (isNews) server.publish("b", "c");
  await clock.advance(downMs);
  const startedAt = clock.monotonic();
  server.start();
  const isBack = (id: string) => names(shown.get(id)) === (isNews ? "b,c" : "a,b");
  while (!clients.every(isBack) && clock.monotonic() - startedAt < 60_000) await clock.advance(1_000);
  expect(clients.filter(isBack)).toHaveLength(CLIENTS);
  // The next round, too: who came back together may go on together.
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

function isNoStampede({ steady, after }: Herd): void {
  const ratio = after.peak / steady.mean;
  console.log(
    `${steady.mean} requests a second before, ${after.peak} at most after: ${ratio.toFixed(2)} times`,
  );
  expect(ratio).toBeLessThanOrEqual(3);
}

describe(`a restart, before ${CLIENTS} clients`, { timeout: 90_000 }, () => {
  test.runIf(inject("isLong"))(
    "of one of several Kubernetes API servers makes none of them list again",
    async () => {
      const herd = await restart({ open: openKubernetes(false, 100), downMs: 0, isNews: true });
      isNoStampede(herd);
      expect(herd.perClient("list")).toEqual([0, 0]);
    },
  );

  test.runIf(inject("isLong"))("with nothing new for them makes none of them list again", async () => {
    const herd = await restart({ open: openKubernetes(false, 100), downMs: 0, isNews: false });
    isNoStampede(herd);
    expect(herd.perClient("list")).toEqual([0, 0]);
  });

  test.each(inject("isLong") ? [0, 10_000] : [10_000])(
    "of the only API server, down for %i ms, makes each list once, as it has forgotten their versions",
    async (downMs) => {
      const herd = await restart({ open: openKubernetes(true, 100), downMs, isNews: true });
      isNoStampede(herd);
      expect(herd.perClient("list")).toEqual([1, 1]);
    },
  );

  test.runIf(inject("isLong"))("of Consul makes each read once, and go on waiting from there", async () => {
    const herd = await restart({ open: openConsul(false), downMs: 0, isNews: true });
    isNoStampede(herd);
    expect(herd.perClient("read")).toEqual([1, 1]);
  });

  test("of a Consul that lost its data makes each read twice, as its index is lower than before", async () => {
    const herd = await restart({ open: openConsul(true), downMs: 0, isNews: true });
    isNoStampede(herd);
    expect(herd.perClient("read")).toEqual([2, 2]);
  });
});
