import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { ListenerCensus } from "./listener-census.ts";

function listener(): void {}

test("counts the listeners on emitters and signals, without the listeners that were removed", () => {
  using census = new ListenerCensus();
  const [first, second] = [new EventEmitter(), new EventEmitter()];
  const { signal } = new AbortController();
  const base = census.count();
  for (let i = 0; i < 7; i++) first.once("a", listener);
  first.on("b", listener);
  second.prependListener("a", listener);
  signal.addEventListener("abort", listener, { once: true });
  const { onEmitters, onSignals, most } = census.count();
  expect([onEmitters - base.onEmitters, onSignals - base.onSignals]).toEqual([9, 1]);
  expect(most).toBeGreaterThanOrEqual(8);
  first.removeAllListeners("a");
  signal.removeEventListener("abort", listener);
  const after = census.count();
  expect([after.onEmitters - base.onEmitters, after.onSignals - base.onSignals]).toEqual([2, 0]);
});
