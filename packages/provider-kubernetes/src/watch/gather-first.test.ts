import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { gatherFirst } from "./gather-first.ts";

/** Yields each batch at its time, then ends or throws. */
async function* emit(
  clock: VirtualClock,
  batches: readonly (readonly [number, readonly string[]])[],
  failure?: Error,
): AsyncGenerator<readonly string[], void> {
  for (const [at, batch] of batches) {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.schedule(at - clock.monotonic(), resolve);
    await promise;
    yield batch;
  }
  if (failure !== undefined) throw failure;
}

async function gather(
  source: (clock: VirtualClock) => AsyncGenerator<readonly string[], void>,
): Promise<unknown> {
  const clock = new VirtualClock();
  const got: unknown[] = [];
  const reading = (async () => {
    try {
      for await (const batch of gatherFirst(source(clock), { clock, withinMs: 100 }))
        got.push([clock.monotonic(), batch.join()]);
    } catch (error) {
      got.push(error);
    }
  })();
  await clock.until(reading, 10_000);
  expect(clock.pendingTimers).toBe(0);
  return got;
}

test("batches in time are joined with the first, and the others are yielded as they arrive", async () => {
  const batches = [
    [50, []],
    [60, ["a"]],
    [140, ["b", "c"]],
    [170, ["d"]],
    [180, ["e"]],
  ] as const;
  expect(await gather((clock) => emit(clock, batches))).toEqual([
    [150, "a,b,c"],
    [170, "d"],
    [180, "e"],
  ]);
});

test("without events in time, the first batch is empty", async () => {
  const batches = [
    [0, []],
    [500, ["a"]],
  ] as const;
  expect(await gather((clock) => emit(clock, batches))).toEqual([
    [100, ""],
    [500, "a"],
  ]);
});

test("an end in time yields the collected batch at once; without a first batch there is none", async () => {
  expect(await gather((clock) => emit(clock, [[10, ["a"]]]))).toEqual([[10, "a"]]);
  expect(await gather((clock) => emit(clock, []))).toEqual([]);
});

test("a failure is thrown, in time or later", async () => {
  const failure = new Error("broken");
  expect(await gather((clock) => emit(clock, [[10, ["a"]]], failure))).toEqual([failure]);
  const batches = [
    [10, ["a"]],
    [400, ["b"]],
  ] as const;
  expect(await gather((clock) => emit(clock, batches, failure))).toEqual([[110, "a"], [400, "b"], failure]);
});

test("leaving the loop closes an idle source, and does not wait for a read in progress", async () => {
  const clock = new VirtualClock();
  let isClosed = false;
  async function* source(): AsyncGenerator<readonly string[], void> {
    try {
      yield ["a"];
      yield ["b"];
      yield ["c"];
    } finally {
      isClosed = true;
    }
  }
  for await (const batch of gatherFirst(source(), { clock, withinMs: 0 })) {
    void batch;
    break;
  }
  await clock.settle();
  expect(isClosed).toBe(true);
  const never = emit(clock, [
    [0, ["a"]],
    [Number.MAX_SAFE_INTEGER, ["b"]],
  ]);
  const left = (async () => {
    for await (const batch of gatherFirst(never, { clock, withinMs: 5 })) return batch;
    return undefined;
  })();
  expect(await clock.until(left, 100)).toEqual(["a"]);
});
