import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { sleep, type ClusterProvider, type ProviderSnapshot } from "@holdfast/core";
import { expect, inject, test } from "vitest";
import { SimulatedApiServer } from "../../test/simulated-api-server.ts";

const SEEDS = inject("isLong") ? 200 : 30;
const PROVIDERS = inject("isLong") ? 1_000 : 200;
/** More versions than any run reaches. */
const AN_AGE = 1_000_000;

const namesOf = ({ members }: ProviderSnapshot) => Array.from(members, ({ id }) => id);

interface Follower {
  readonly service: string;
  last: ProviderSnapshot | undefined;
  snapshots: number;
  failures: number;
  readonly over: Promise<void>;
}

interface FollowOptions {
  readonly provider: ClusterProvider;
  readonly service: string;
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onSnapshot?: (snapshot: ProviderSnapshot, before: ProviderSnapshot | undefined) => void;
}

/** Watches again after each failure, after up to two seconds, as failover does. */
function follow({ provider, service, clock, random, signal, onSnapshot }: FollowOptions): Follower {
  const run = async () => {
    while (!signal.aborted) {
      try {
        for await (const event of provider.watch({ signal })) {
          if (event.type !== "snapshot") continue;
          onSnapshot?.(event.snapshot, follower.last);
          follower.snapshots++;
          follower.last = event.snapshot;
        }
      } catch {
        follower.failures++;
      }
      await sleep(random() * 2_000, { clock, signal }).catch(() => undefined);
    }
  };
  const follower: Follower = {
    service,
    last: undefined,
    snapshots: 0,
    failures: 0,
    over: Promise.resolve().then(run),
  };
  return follower;
}

// R7.1
test("with restarts, restored backups and changes, every snapshot of each provider is newer, and the last ones match the server", async () => {
  // R2.3
  const totals = { snapshots: 0, lists: 0, failures: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) await runRandomly(seed, totals);
  // All kinds of events occurred, and most attempts after a failure needed no list.
  expect(totals.snapshots).toBeGreaterThan(SEEDS * 20);
  expect(totals.failures).toBeGreaterThan(SEEDS * 10);
  expect(totals.lists).toBeLessThan(totals.failures / 4);
});

async function runRandomly(
  seed: number,
  totals: { snapshots: number; lists: number; failures: number },
): Promise<void> {
  const clock = new VirtualClock();
  const random = createSeededRandom(seed);
  const pick = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const changesEveryMs = random() < 0.5 ? undefined : pick(50, 500);
  const server = new SimulatedApiServer({ clock, random, changesEveryMs });
  const services = Array.from({ length: 6 }, (_, i) => `svc-${i}`);
  const publish = () => {
    const names = Array.from({ length: pick(1, 5) }, () => `pod-${pick(1, 9)}`);
    server.publishService(services[pick(0, services.length - 1)]!, ...names);
  };
  for (let i = 0; i < 10; i++) publish();
  const provide = server.createProviders("shared");
  const providers = services.map((service) =>
    provide(service, { clock, random, heartbeatMs: pick(4_000, 6_000) }),
  );
  const stop = new AbortController();
  let restored = 0;
  const followers = providers.map((provider, i) => {
    let restoredBefore = 0;
    return follow({
      provider,
      service: services[i]!,
      clock,
      random,
      signal: stop.signal,
      onSnapshot(snapshot, before) {
        if (before !== undefined && restoredBefore === restored)
          expect(Number(snapshot.revision), `seed ${seed}`).toBeGreaterThanOrEqual(Number(before.revision));
        restoredBefore = restored;
      },
    });
  });
  for (let step = pick(5, 15); step > 0; step--) {
    await clock.advance(pick(0, 6_000));
    const chance = random();
    if (chance < 0.5) publish();
    else {
      server.stop();
      if (random() < 0.3) publish();
      await clock.advance(random() < 0.5 ? 0 : pick(1, 8_000));
      if (chance > 0.9) {
        server.restore(AN_AGE);
        restored++;
        publish();
      }
      server.start({ forgets: random() < 0.3 });
    }
  }
  await clock.advance(20_000);
  for (const { service, last } of followers)
    expect(namesOf(last!), `seed ${seed} ${service}`).toEqual([...new Set(server.contentOf(service))].sort());
  stop.abort();
  await clock.advance(0);
  await Promise.all(followers.map(({ over }) => over));
  await Promise.all(providers.map((each) => each[Symbol.asyncDispose]()));
  expect(clock.pendingTimers).toBe(0);
  for (const { snapshots, failures } of followers) {
    totals.snapshots += snapshots;
    totals.failures += failures;
  }
  totals.lists += server.received.filter(({ kind }) => kind === "list").length;
}

test(`a stopped server gets about two requests a second from ${PROVIDERS} providers, and one list when it is back`, async () => {
  const clock = new VirtualClock();
  const random = createSeededRandom(1);
  const server = new SimulatedApiServer({ clock, random });
  const services = Array.from({ length: PROVIDERS }, (_, i) => `svc-${i}`);
  for (const service of services) server.publishService(service, `${service}-a`);
  const provide = server.createProviders("shared");
  const providers = services.map((service) => provide(service, { clock, random, heartbeatMs: 5_000 }));
  const stop = new AbortController();
  const { signal } = stop;
  const followers = providers.map((provider, i) =>
    follow({ provider, service: services[i]!, clock, random, signal }),
  );
  await clock.advance(10_000);
  const kinds = () => server.received.map(({ kind }) => kind);
  expect(followers.filter(({ last }) => last !== undefined)).toHaveLength(PROVIDERS);
  expect(kinds().filter((kind) => kind === "list")).toHaveLength(1);
  expect(kinds().filter((kind) => kind === "watch").length).toBeLessThan(5);
  server.stop();
  await clock.advance(30_000);
  expect(server.refused).toBeGreaterThan(10);
  expect(server.refused).toBeLessThan(90);
  // Every provider has got errors, and counts them.
  expect(Math.min(...followers.map(({ failures }) => failures))).toBeGreaterThan(3);
  const before = server.received.length;
  server.publishService("svc-7", "svc-7-b");
  server.start({ forgets: true });
  await clock.advance(10_000);
  expect(
    followers.filter(({ service, last }) => namesOf(last!).join() === server.contentOf(service).join()),
  ).toHaveLength(PROVIDERS);
  expect(
    kinds()
      .slice(before)
      .filter((kind) => kind === "list"),
  ).toHaveLength(1);
  expect(server.received.length - before).toBeLessThan(12);
  stop.abort();
  await clock.advance(0);
  await Promise.all(followers.map(({ over }) => over));
  expect(clock.pendingTimers).toBe(0);
});
