import { describe, expect, test } from "vitest";
import { untilAborted } from "../time/until-aborted.ts";
import type { SourceEvent } from "../contracts/provider/source-event.ts";
import { ProviderLife } from "./provider-life.ts";

const broken = new Error("broken");
const beat: SourceEvent = { type: "heartbeat" };

/** Yields one heartbeat, then waits until the signal aborts and throws, as waits do. */
async function* beatOnce(signal: AbortSignal): AsyncGenerator<SourceEvent> {
  yield beat;
  await untilAborted(new Promise(() => {}), signal);
}

describe("ProviderLife", () => {
  test("a watch ends without an error with its caller's signal, although its stream then throws", async () => {
    const caller = new AbortController();
    const watch = new ProviderLife("p").watch(caller.signal, beatOnce);
    expect(await watch.next()).toEqual({ done: false, value: beat });
    const end = watch.next();
    caller.abort();
    expect(await end).toEqual({ done: true, value: undefined });
  });

  test("a watch fails with LIFECYCLE_STOPPED at the end, and with its own error otherwise", async () => {
    const life = new ProviderLife("p");
    const { signal } = new AbortController();
    const watch = life.watch(signal, beatOnce);
    await watch.next();
    const end = watch.next();
    life.end();
    life.end();
    await expect(end).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    const other = new ProviderLife("q").watch(signal, async function* fail() {
      yield beat;
      throw broken;
    });
    await expect(Array.fromAsync(other)).rejects.toBe(broken);
  });

  test("nothing starts once a signal has aborted or the provider was disposed of", async () => {
    const life = new ProviderLife("p");
    let begun = 0;
    const begin = (signal: AbortSignal) => {
      begun++;
      return beatOnce(signal);
    };
    const work = () => {
      begun++;
      return Promise.resolve();
    };
    const aborted = AbortSignal.abort();
    expect(await Array.fromAsync(life.watch(aborted, begin))).toEqual([]);
    await expect(life.probe(aborted, work)).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    life.end();
    const { signal } = new AbortController();
    await expect(Array.fromAsync(life.watch(signal, begin))).rejects.toMatchObject({
      code: "LIFECYCLE_STOPPED",
      message: '[LIFECYCLE_STOPPED] the provider "p" was disposed',
    });
    await expect(life.probe(signal, work)).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    expect(begun).toBe(0);
  });
});
