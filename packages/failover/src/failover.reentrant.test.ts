import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ProviderId, Update } from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { Failover, type FailoverOptions } from "./failover.ts";

const NO_GUARDS = { removalDwellMs: 0, massRemoval: false } as const;

/** Providers with a member of their own, in order of preference. All list the machine 10.0.0.1, each under another id. */
const setUp = (ids: readonly ProviderId[], options: FailoverOptions = {}) => {
  const clock = new VirtualClock();
  const providers = ids.map(
    (id, index) =>
      new MemoryProvider({
        id,
        priority: ids.length - index,
        clock,
        members: [{ id: `of-${id}`, host: "10.0.0.1", port: 80 }],
      }),
  );
  const random = createSeededRandom(1);
  const failover = new Failover({ providers, clock, random, guards: NO_GUARDS, ...options });
  return { clock, providers, failover };
};

/** Checks that the switches form one chain, and that the last update has the content of the last provider. */
const expectChain = (updates: readonly Update[], first: ProviderId, last: ProviderId) => {
  let at = first;
  for (const { switched } of updates) {
    if (switched === undefined) continue;
    expect(switched.from).toBe(at);
    at = switched.to;
  }
  expect(at).toBe(last);
  expect(updates.at(-1)?.snapshot?.providerId).toBe(last);
};

test.each<[string, (failover: Failover, providers: readonly MemoryProvider[]) => void]>([
  ["override", (failover) => failover.override("b")],
  ["reconfigure", (failover, providers) => failover.reconfigure(providers.slice(1))],
  ["acceptRemovals", (failover) => failover.acceptRemovals()],
])("%s during the end of a run reports no update", async (_, call) => {
  const { clock, providers, failover } = setUp(["a", "b"]);
  const stop = new AbortController();
  const updates: Update[] = [];
  const running = failover.run({ signal: stop.signal, onUpdate: (update) => updates.push(update) });
  await clock.settle();
  stop.abort();
  const count = updates.length;
  // The streams have not ended yet.
  call(failover, providers);
  expect(updates).toHaveLength(count);
  await running;
  expect(updates).toHaveLength(count);
  await failover[Symbol.asyncDispose]();
});

test("a receiver that pins a provider and ends the run receives no further update", async () => {
  const { clock, failover } = setUp(["a", "b"]);
  const stop = new AbortController();
  const updates: Update[] = [];
  await failover.run({
    signal: stop.signal,
    onUpdate(update) {
      updates.push(update);
      if (updates.length > 1) return;
      failover.override("b");
      stop.abort();
    },
  });
  await clock.settle();
  expect(updates).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
  await failover[Symbol.asyncDispose]();
});

test("a receiver of warnings may pin a provider: updates stay in the order of the decisions", async () => {
  const updates: Update[] = [];
  let isPinned = false;
  const { clock, failover } = setUp(["a", "b", "c"], {
    onWarning() {
      if (isPinned) return;
      isPinned = true;
      failover.override("c");
    },
  });
  const stop = new AbortController();
  const running = failover.run({ signal: stop.signal, onUpdate: (update) => updates.push(update) });
  await clock.settle();
  expect(isPinned).toBe(true);
  await clock.advance(60_000);
  expectChain(updates, "a", "c");
  stop.abort();
  await running;
});

test("a warning during a switch may pin a third provider: the later decision is reported last", async () => {
  const updates: Update[] = [];
  let isArmed = false;
  const { clock, providers, failover } = setUp(["a", "b", "c"], {
    health: { cooldownMs: 1_000 },
    onWarning() {
      if (isArmed) failover.override("c");
    },
  });
  const [a, b] = providers;
  // Without members there is nothing to compare.
  a!.set([]);
  b!.set([]);
  const stop = new AbortController();
  const running = failover.run({ signal: stop.signal, onUpdate: (update) => updates.push(update) });
  await clock.settle();
  b!.set([{ id: "of-b", host: "10.0.0.1", port: 80 }]);
  await clock.advance(2_000);
  isArmed = true;
  failover.override("b");
  await clock.settle();
  expectChain(updates, "a", "c");
  stop.abort();
  await running;
});

test("a subscriber of the diagnostics channel may pin a provider: the later decision is reported last", async () => {
  const updates: Update[] = [];
  const { clock, failover } = setUp(["a", "b", "c"]);
  const stop = new AbortController();
  const running = failover.run({ signal: stop.signal, onUpdate: (update) => updates.push(update) });
  await clock.settle();
  const published: Update[] = [];
  const onMessage = (message: unknown) => {
    const { update } = message as { readonly update: Update };
    published.push(update);
    if (update.switched?.to === "b") failover.override("c");
  };
  subscribe("holdfast:update", onMessage);
  try {
    updates.length = 0;
    failover.override("b");
    await clock.settle();
  } finally {
    unsubscribe("holdfast:update", onMessage);
  }
  expectChain(updates, "a", "c");
  expect(updates).toEqual(published);
  stop.abort();
  await running;
});
