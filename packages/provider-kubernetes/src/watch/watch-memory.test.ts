import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { EndpointState } from "./endpoint-state.ts";
import { kubernetesParamsSchema } from "../kubernetes-params.ts";
import { WatchMemory } from "./watch-memory.ts";

const params = kubernetesParamsSchema.parse({ service: "web" });

function confirmed(clock: VirtualClock): EndpointState {
  const state = new EndpointState(params);
  state.confirmedAt = clock.monotonic();
  return state;
}

test("the state of a watch is passed to exactly one next watch", () => {
  const clock = new VirtualClock();
  const memory = new WatchMemory(clock);
  expect(memory.begin()).toBeUndefined();
  const state = confirmed(clock);
  memory.end(state);
  expect(memory.begin()).toBe(state);
  expect(memory.begin()).toBeUndefined();
});

test("states of concurrent watches are discarded until all of them have ended", () => {
  const clock = new VirtualClock();
  const memory = new WatchMemory(clock);
  memory.begin();
  memory.begin();
  memory.end(confirmed(clock));
  expect(memory.begin()).toBeUndefined();
  memory.end(confirmed(clock));
  memory.end(confirmed(clock));
  expect(memory.begin()).toBeUndefined();
  const state = confirmed(clock);
  memory.end(state);
  expect(memory.begin()).toBe(state);
});

test("a watch that ends without a state discards the previous one", () => {
  const clock = new VirtualClock();
  const memory = new WatchMemory(clock);
  memory.begin();
  memory.end(confirmed(clock));
  memory.begin();
  memory.end(undefined);
  expect(memory.begin()).toBeUndefined();
});

test("a state is kept for five minutes after the last confirmation by the server", async () => {
  const clock = new VirtualClock();
  const memory = new WatchMemory(clock);
  memory.begin();
  const state = confirmed(clock);
  memory.end(state);
  await clock.advance(300_000);
  expect(memory.begin()).toBe(state);
  memory.end(state);
  await clock.advance(1);
  expect(memory.begin()).toBeUndefined();
});
