import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { Failover } from "@holdfast/failover";
import { MemoryProvider } from "@holdfast/provider-memory";
import { expect, test } from "vitest";
import { WatchHub } from "./watch-hub.ts";

const node = (id: string) => ({ id, host: `${id}.test`, port: 7000 });

function createHub() {
  const clock = new VirtualClock();
  const provider = new MemoryProvider({ id: "primary", clock, members: [node("a")] });
  const source = new Failover({ providers: [provider], clock, random: createSeededRandom(1) });
  const hub = new WatchHub({ source, clock, random: createSeededRandom(1) });
  return { clock, provider, hub };
}

// R7.3
test("a program waits for the topology and then reads its snapshots and events without a listener", async () => {
  const { clock, provider, hub } = createHub();
  const early = hub.events();
  hub.start();
  const ready = hub.ready();
  expect((await clock.until(ready, 1_000)).members.size).toBe(1);

  const seen: number[] = [];
  const reading = (async () => {
    for await (const { members } of hub.snapshots()) seen.push(members.size);
  })();
  await clock.settle();
  provider.set([node("a"), node("b")]);
  await clock.settle();
  await hub.waitFor(({ snapshot }) => snapshot?.members.size === 2);
  await hub[Symbol.asyncDispose]();
  await reading;
  expect(seen).toEqual([1, 2]);

  const kinds: string[] = [];
  for await (const event of early) kinds.push(`${event.seqNo} ${event.kind}`);
  expect(kinds).toEqual([
    "1 health_changed",
    "2 health_changed",
    "3 snapshot",
    "4 status_changed",
    "5 snapshot",
    "6 status_changed",
  ]);
  await expect(hub.ready()).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
  await provider[Symbol.asyncDispose]();
});

test("`events()` without `from` starts after the newest event at the time of the call", async () => {
  const { clock, provider, hub } = createHub();
  hub.start();
  await clock.settle();
  const events = hub.events();
  await hub[Symbol.asyncDispose]();
  const kinds: string[] = [];
  for await (const event of events) kinds.push(`${event.seqNo} ${event.kind}`);
  expect(kinds).toEqual(["5 status_changed"]);
  await provider[Symbol.asyncDispose]();
});
