import { describe, expect, test } from "vitest";
import { serveHub } from "../testing/served-hub.ts";
import { followLog, type FollowOptions, type TopologyLog } from "./follow-log.ts";

function follow(served: Awaited<ReturnType<typeof serveHub>>, options: Partial<FollowOptions> = {}) {
  const { hub: log, clock } = served;
  const from = { epoch: log.epoch, seqNo: 0 };
  return followLog({ log, from, clock, idleMs: 1_000, signal: new AbortController().signal, ...options });
}

describe("followLog", () => {
  test("gives what the log holds and then what is new, each event once", async () => {
    await using served = await serveHub();
    await served.set("a");
    const events = follow(served);
    const seen: unknown[] = [];
    for await (const event of events) {
      seen.push(event === "idle" ? event : event.seqNo);
      if (seen.length < 5) await served.set(`n${seen.length}`);
      if (seen.length === 6) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("says when nothing happened for a while", async () => {
    await using served = await serveHub();
    const events = follow(served);
    const next = events.next();
    expect(await served.clock.until(next, 1_000)).toEqual({ done: false, value: "idle" });
    await events.return();
  });

  test("delivers what the log already holds before it ends with its signal, and leaves nothing behind", async () => {
    await using served = await serveHub();
    const stop = new AbortController();
    let listeners = 0;
    const { hub } = served;
    const log: TopologyLog = {
      get state() {
        return hub.state;
      },
      eventsSince: (epoch, seqNo) => hub.eventsSince(epoch, seqNo),
      onEvent(listener) {
        listeners++;
        const unsubscribe = hub.onEvent(listener);
        return () => {
          listeners--;
          unsubscribe();
        };
      },
    };
    const events = follow(served, { log, signal: stop.signal });
    const first = events.next();
    await served.clock.settle();
    await served.set("a");
    stop.abort();
    expect(await first).toMatchObject({ value: { seqNo: 1 } });
    expect(await events.next()).toMatchObject({ value: { seqNo: 2 } });
    expect(await events.next()).toEqual({ done: true, value: undefined });
    await hub[Symbol.asyncDispose]();
    expect([listeners, served.clock.pendingTimers]).toEqual([0, 0]);
  });

  test("tells a reader that fell behind too far", async () => {
    await using served = await serveHub({ retainedEvents: 2 });
    await served.set("a");
    const events = follow(served);
    await events.next();
    for (const id of ["b", "c", "d"]) await served.set(id);
    // What was handed out together is still delivered.
    expect(await events.next()).toMatchObject({ value: { seqNo: 2 } });
    await expect(events.next()).rejects.toMatchObject({ code: "STREAM_EXPIRED" });
  });
});
