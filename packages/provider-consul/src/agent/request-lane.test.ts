import { describe, expect, test } from "vitest";
import { RequestLane } from "./request-lane.ts";

const never = new AbortController().signal;

/** Starts entries with these names; returns the names in the order in which they were admitted. */
function enterAll(lane: RequestLane, names: readonly string[], signal = never) {
  const admitted: string[] = [];
  const permits = new Map<string, Disposable>();
  const entries = names.map(async (name) => {
    permits.set(name, await lane.enter(signal));
    admitted.push(name);
  });
  return { admitted, entries, leave: (name: string) => permits.get(name)?.[Symbol.dispose]() };
}

const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

describe("RequestLane", () => {
  test("admits up to its limit, and the others in order as requests end", async () => {
    const lane = new RequestLane(2);
    const { admitted, leave } = enterAll(lane, ["a", "b", "c", "d"]);
    await settle();
    expect(admitted).toEqual(["a", "b"]);
    leave("a");
    leave("a");
    await settle();
    expect(admitted).toEqual(["a", "b", "c"]);
    leave("c");
    await settle();
    expect(admitted).toEqual(["a", "b", "c", "d"]);
  });

  test("an aborted request leaves the queue, and the others undisturbed", async () => {
    const lane = new RequestLane(1);
    const stop = new AbortController();
    const first = enterAll(lane, ["a"]);
    const aborted = enterAll(lane, ["b"], stop.signal);
    const last = enterAll(lane, ["c"]);
    await settle();
    stop.abort();
    await expect(aborted.entries[0]).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    first.leave("a");
    await settle();
    expect(last.admitted).toEqual(["c"]);
    await expect(lane.enter(stop.signal)).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });

  test("an abort at the moment of the admission loses no place", async () => {
    const lane = new RequestLane(1);
    const stop = new AbortController();
    const first = enterAll(lane, ["a"]);
    await settle();
    const both = enterAll(lane, ["b"], stop.signal);
    first.leave("a");
    stop.abort();
    await Promise.allSettled(both.entries);
    both.leave("b");
    const last = enterAll(lane, ["c"]);
    await settle();
    expect(last.admitted).toEqual(["c"]);
  });

  test("a higher limit admits at once, and a lower one interrupts nothing", async () => {
    const lane = new RequestLane(1);
    const { admitted, leave } = enterAll(lane, ["a", "b", "c", "d"]);
    lane.setLimit(3);
    await settle();
    expect(admitted).toEqual(["a", "b", "c"]);
    lane.setLimit(1);
    leave("a");
    leave("b");
    await settle();
    expect(admitted).toEqual(["a", "b", "c"]);
    leave("c");
    await settle();
    expect(admitted).toEqual(["a", "b", "c", "d"]);
  });
});
