import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { UNGROUPED_SLICES } from "../endpoints/slice-form.ts";
import { KeptContent, type ResumableContent } from "./kept-content.ts";
import { ObjectCache } from "./object-cache.ts";

function confirmed(clock: VirtualClock): ResumableContent {
  const position = { place: "here", version: "7", observedAt: 0, confirmedAt: clock.monotonic() };
  return { cache: new ObjectCache(UNGROUPED_SLICES), position };
}

test("the content of a watch is passed to exactly one next watch", () => {
  const clock = new VirtualClock();
  const kept = new KeptContent(clock);
  expect(kept.take()).toBeUndefined();
  const content = confirmed(clock);
  kept.keep(content);
  expect(kept.take()).toBe(content);
  expect(kept.take()).toBeUndefined();
});

test("content is kept for five minutes after the last confirmation by the server", async () => {
  const clock = new VirtualClock();
  const kept = new KeptContent(clock);
  const content = confirmed(clock);
  kept.keep(content);
  await clock.advance(300_000);
  expect(kept.take()).toBe(content);
  kept.keep(content);
  await clock.advance(1);
  expect(kept.take()).toBeUndefined();
});
