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

test("what a watch leaves is the next one's, and nobody else's", () => {
  const clock = new VirtualClock();
  const memory = new WatchMemory(clock);
  expect(memory.begin()).toBeUndefined();
  const state = confirmed(clock);
  memory.end(state);
  expect(memory.begin()).toBe(state);
  expect(memory.begin()).toBeUndefined();
});

test("what is left after several watches at a time is forgotten, until they are all over", () => {
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

test("a watch that leaves nothing lets go of what was there", () => {
  const clock = new VirtualClock();
  const memory = new WatchMemory(clock);
  memory.begin();
  memory.end(confirmed(clock));
  memory.begin();
  memory.end(undefined);
  expect(memory.begin()).toBeUndefined();
});

test("it lasts for five minutes after the server last confirmed it", async () => {
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
