import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { readUntilAborted } from "./read-until-aborted.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";

const ours = new ProvisioningError("CONNECTIVITY_TIMEOUT", "too late");

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

async function* count(onClose: () => void): AsyncGenerator<number> {
  try {
    for (let i = 0; ; i++) yield i;
  } finally {
    onClose();
  }
}

function source(next: () => Promise<IteratorResult<number>>, close?: () => Promise<IteratorResult<number>>) {
  const iterator = close === undefined ? { next } : { next, return: close };
  return { [Symbol.asyncIterator]: () => iterator };
}

describe("readUntilAborted", () => {
  test("passes items on, and closes the source when the reader leaves the loop", async () => {
    const controller = new AbortController();
    let isClosed = false;
    const seen: number[] = [];
    for await (const i of readUntilAborted(
      count(() => (isClosed = true)),
      controller.signal,
    )) {
      seen.push(i);
      if (i === 1_000) break;
    }
    expect(seen).toHaveLength(1_001);
    expect(isClosed).toBe(true);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("ends although a source that ignores the signal always has more", async () => {
    const controller = new AbortController();
    let reads = 0;
    const flood = source(() => {
      if (++reads === 10) controller.abort(ours);
      if (reads > 100) throw new Error("read after the abort");
      return Promise.resolve({ done: false, value: reads });
    });
    await expect(Array.fromAsync(readUntilAborted(flood, controller.signal))).rejects.toBe(ours);
    expect(reads).toBe(10);
  });

  test("an item that arrived before the abort is still read", async () => {
    const controller = new AbortController();
    const pending = Promise.withResolvers<IteratorResult<number>>();
    const reading = readUntilAborted(
      source(() => pending.promise),
      controller.signal,
    );
    const first = reading.next();
    pending.resolve({ done: false, value: 1 });
    controller.abort(ours);
    expect(await first).toEqual({ done: false, value: 1 });
    await expect(reading.next()).rejects.toBe(ours);
  });

  test("ends and fails as the source does, and does not close a source that has ended", async () => {
    let closes = 0;
    const close = () => {
      closes++;
      return Promise.resolve({ done: true as const, value: undefined });
    };
    const over = source(() => Promise.resolve({ done: true, value: undefined }), close);
    expect(await Array.fromAsync(readUntilAborted(over, undefined))).toEqual([]);
    expect(closes).toBe(0);
    const broken = source(() => Promise.reject(ours), close);
    await expect(Array.fromAsync(readUntilAborted(broken, undefined))).rejects.toBe(ours);
  });

  test.each<[string, () => Promise<IteratorResult<number>>]>([
    ["hangs", () => new Promise(() => {})],
    ["rejects", () => Promise.reject(new Error("close"))],
    [
      "throws",
      () => {
        throw new Error("close");
      },
    ],
  ])("is not held up by a source that ignores the signal and %s as it is closed", async (_, close) => {
    const controller = new AbortController();
    const reading = Array.fromAsync(
      readUntilAborted(
        source(() => new Promise(() => {}), close),
        controller.signal,
      ),
    );
    controller.abort(ours);
    await expect(reading).rejects.toBe(ours);
    expect(listenersOf(controller.signal)).toBe(0);
  });
});
