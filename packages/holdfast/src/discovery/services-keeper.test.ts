import { ProvisioningError, type KnownServices } from "@holdfast/core";
import { MemoryDiscoveryStore, VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { ServicesKeeper } from "./services-keeper.ts";

const known = (...names: readonly string[]): readonly KnownServices[] => [
  { source: "a", services: names.map((name) => ({ name })) },
];
const { signal } = new AbortController();

function setUp() {
  const clock = new VirtualClock();
  const store = new MemoryDiscoveryStore();
  const errors: string[] = [];
  const keeper = new ServicesKeeper({ store, clock, onError: ({ code }) => errors.push(code) });
  return { clock, store, errors, keeper };
}

test("saves the newest services, and skips those that were overtaken during a save", async () => {
  const { clock, store, keeper } = setUp();
  for (const names of [["a"], ["a", "b"], ["a", "b", "c"]]) keeper.keep(known(...names));
  await clock.settle();
  expect([store.known, store.saves]).toEqual([known("a", "b", "c"), 2]);
});

test("does not save what is stored already", async () => {
  const { clock, store, keeper } = setUp();
  keeper.markSaved(known("a"));
  keeper.keep(known("a"));
  await clock.settle();
  expect(store.saves).toBe(0);
});

test("tries a failed save again, reports an outage once, and saves the rest at the end", async () => {
  const { clock, store, errors, keeper } = setUp();
  store.failure = new ProvisioningError("STORE_IO", "full");
  keeper.keep(known("a"));
  await clock.advance(35_000);
  expect(errors).toEqual(["STORE_IO"]);
  keeper.keep(known("a", "b"));
  store.failure = undefined;
  expect(await keeper.finish(signal)).toEqual([]);
  expect([store.known, clock.pendingTimers]).toEqual([known("a", "b"), 0]);
});

test("a save that hangs is named, and no longer waited for", async () => {
  const { clock, store, keeper } = setUp();
  store.hangs = true;
  keeper.keep(known("a"));
  const abort = new AbortController();
  const finishing = keeper.finish(abort.signal);
  await clock.settle();
  abort.abort();
  expect(await finishing).toEqual(["found services: a save"]);
});
