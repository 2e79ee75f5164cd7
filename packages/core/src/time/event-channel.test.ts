import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { EventChannel } from "./event-channel.ts";
import { systemClock } from "./system-clock.ts";

function setUp(merge?: (last: number, next: number) => number | undefined): {
  readonly controller: AbortController;
  readonly channel: EventChannel<number>;
} {
  const controller = new AbortController();
  return { controller, channel: new EventChannel(controller.signal, merge) };
}

async function collect(channel: EventChannel<number>): Promise<number[]> {
  return await Array.fromAsync(channel);
}

describe("EventChannel", () => {
  test("delivers items in order, whether awaited or not, and ends after the waiting items", async () => {
    const { channel } = setUp();
    channel.push(1);
    channel.push(2);
    const all = collect(channel);
    await systemClock.yield();
    channel.push(3);
    channel.push(4);
    channel.close();
    channel.push(5);
    expect(await all).toEqual([1, 2, 3, 4]);
    expect(await channel.next()).toEqual({ done: true, value: undefined });
  });

  test("an error comes once, after the waiting items", async () => {
    const { channel } = setUp();
    const error = new Error("broken");
    channel.push(1);
    channel.close({ error });
    channel.close({ error: new Error("later") });
    expect(await channel.next()).toEqual({ done: false, value: 1 });
    await expect(channel.next()).rejects.toBe(error);
    expect(await channel.next()).toEqual({ done: true, value: undefined });
  });

  test("an error reaches the consumer that waits", async () => {
    const { channel } = setUp();
    const next = channel.next();
    channel.close({ error: undefined });
    await expect(next).rejects.toBeUndefined();
    expect(await channel.next()).toEqual({ done: true, value: undefined });
  });

  test("an unread error is not an unhandled rejection, and is dropped by return", async () => {
    const { channel } = setUp();
    channel.close({ error: new Error("unread") });
    await systemClock.yield();
    expect(await channel.return()).toEqual({ done: true, value: undefined });
    expect(await channel.next()).toEqual({ done: true, value: undefined });
  });

  test("ends without an error when the signal aborts, and drops waiting items", async () => {
    const { channel, controller } = setUp();
    channel.push(1);
    controller.abort();
    channel.push(2);
    expect(await collect(channel)).toEqual([]);
  });

  test("ends the consumer that waits when the signal aborts", async () => {
    const { channel, controller } = setUp();
    const next = channel.next();
    controller.abort(new Error("why"));
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test("is closed from the start if the signal has already aborted", async () => {
    const channel = new EventChannel<number>(AbortSignal.abort());
    channel.push(1);
    expect(await collect(channel)).toEqual([]);
  });

  test("ends when its consumer leaves the loop", async () => {
    const { channel } = setUp();
    channel.push(1);
    channel.push(2);
    for await (const item of channel) {
      expect(item).toBe(1);
      break;
    }
    channel.push(3);
    expect(await channel.next()).toEqual({ done: true, value: undefined });
  });

  test.each<[string, (channel: EventChannel<number>, controller: AbortController) => unknown]>([
    ["close", (channel) => channel.close()],
    ["an error", (channel) => channel.close({ error: new Error("x") })],
    ["return", (channel) => channel.return()],
    ["abort", (_, controller) => controller.abort()],
  ])("leaves no listener on the signal after %s", (_, end) => {
    const { channel, controller } = setUp();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    end(channel, controller);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("delivers a long backlog in order, in linear time", async () => {
    const { channel } = setUp();
    const count = 200_000;
    for (let i = 0; i < count; i++) channel.push(i);
    const first: unknown[] = [];
    for (let i = 0; i < count; i++) {
      first.push((await channel.next()).value);
      if (i % 3 === 0) channel.push(count + i / 3);
    }
    expect(first.every((value, i) => value === i)).toBe(true);
    channel.close();
    const rest = await collect(channel);
    expect(rest).toHaveLength(Math.ceil(count / 3));
    expect(rest.every((value, i) => value === count + i)).toBe(true);
  });

  test("merges into waiting items, never into read ones", async () => {
    const { channel } = setUp((last, next) => last + next);
    channel.push(1);
    expect(await channel.next()).toEqual({ done: false, value: 1 });
    channel.push(2);
    channel.push(3);
    expect(await channel.next()).toEqual({ done: false, value: 5 });
  });

  test("merges a new item into the last waiting one, never into a delivered one", async () => {
    const { channel } = setUp((last, next) => (next < 100 ? last + next : undefined));
    const first = channel.next();
    channel.push(1);
    channel.push(2);
    channel.push(3);
    channel.push(100);
    channel.push(4);
    channel.close();
    expect(await first).toEqual({ done: false, value: 1 });
    expect(await collect(channel)).toEqual([5, 104]);
  });
});
