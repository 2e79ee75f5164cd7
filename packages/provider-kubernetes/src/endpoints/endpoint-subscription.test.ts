import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { sleep, type ProviderSnapshot } from "@holdfast/core";
import { expect, test } from "vitest";
import { SimulatedApiServer } from "../../test/simulated-api-server.ts";

const SEEDS = 200;
/** More versions than any run reaches. */
const AN_AGE = 1_000_000;

const namesOf = ({ members }: ProviderSnapshot) => Array.from(members, ({ id }) => id);

test("with restarts, restored backups and changes, every snapshot is newer, and the last one matches the server", async () => {
  // R2.3
  const totals = { snapshots: 0, lists: 0, failures: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) await run(seed, totals);
  // All kinds of events occurred, and most watches after a failure needed no list.
  expect(totals.snapshots).toBeGreaterThan(SEEDS * 5);
  expect(totals.failures).toBeGreaterThan(SEEDS * 3);
  expect(totals.lists - SEEDS).toBeLessThan(totals.failures / 2);
});

test("a server whose version went back while watches ended normally is detected within two heartbeats", async () => {
  const clock = new VirtualClock();
  const random = createSeededRandom(1);
  const server = new SimulatedApiServer({ clock, random });
  server.publish("a");
  await using provider = server.createProvider("web", { clock, random, heartbeatMs: 5_000 });
  const shown: string[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const event of provider.watch({ signal: stop.signal }))
      if (event.type === "snapshot") shown.push(namesOf(event.snapshot).join());
  })();
  await clock.advance(30_000);
  const kinds = () => server.received.map(({ kind }) => kind).filter((kind) => kind !== "watch");
  const before = kinds();
  expect(before.slice(0, 2)).toEqual(["list", "check"]);
  expect(before.filter((kind) => kind === "list")).toHaveLength(1);
  server.restore(AN_AGE, "b");
  await clock.advance(12_000);
  expect(kinds().slice(before.length, before.length + 2)).toEqual(["check", "list"]);
  expect(shown).toEqual(["a", "b"]);
  stop.abort();
  await watching;
});

async function run(
  seed: number,
  totals: { snapshots: number; lists: number; failures: number },
): Promise<void> {
  const clock = new VirtualClock();
  const random = createSeededRandom(seed);
  const pick = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const changesEveryMs = random() < 0.5 ? undefined : pick(50, 500);
  const server = new SimulatedApiServer({ clock, random, changesEveryMs });
  const someNames = () => Array.from({ length: pick(1, 5) }, () => `pod-${pick(1, 9)}`);
  server.publish(...someNames());
  await using provider = server.createProvider("web", { clock, random, heartbeatMs: 5_000 });
  const stop = new AbortController();
  const { signal } = stop;
  let restored = 0;
  let last: { readonly snapshot: ProviderSnapshot; readonly restored: number } | undefined;
  const watching = (async () => {
    while (!signal.aborted) {
      try {
        for await (const event of provider.watch({ signal })) {
          if (event.type !== "snapshot") continue;
          const { snapshot } = event;
          totals.snapshots++;
          if (last?.restored === restored)
            expect(Number(snapshot.revision), `seed ${seed}`).toBeGreaterThanOrEqual(
              Number(last.snapshot.revision),
            );
          last = { snapshot, restored };
        }
      } catch {
        totals.failures++;
      }
      await sleep(random() * 2_000, { clock, signal }).catch(() => undefined);
    }
  })();
  for (let step = pick(5, 15); step > 0; step--) {
    await clock.advance(pick(0, 6_000));
    const chance = random();
    if (chance < 0.5) server.publish(...someNames());
    else {
      server.stop();
      if (random() < 0.3) server.publish(...someNames());
      await clock.advance(random() < 0.5 ? 0 : pick(1, 8_000));
      if (chance > 0.9) {
        server.restore(AN_AGE, ...someNames());
        restored++;
      }
      server.start({ forgets: random() < 0.3 });
    }
  }
  await clock.advance(20_000);
  expect(namesOf(last!.snapshot), `seed ${seed}`).toEqual([...new Set(server.content)].sort());
  stop.abort();
  await clock.advance(0);
  await watching;
  expect(clock.pendingTimers).toBe(0);
  totals.lists += server.received.filter(({ kind }) => kind === "list").length;
}
