import { MemoryProvider } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import { createRunningHub, node } from "../test/create-running-hub.ts";

/** 5,000 members, 20 of which have a different port in each version. */
const spread = (version: number) =>
  Array.from({ length: 5_000 }, (_, i) => ({ ...node(`n${i}`), port: i % 250 === 0 ? version : 1 }));

describe("the kept events", () => {
  test("are returned from a position on, unless it is too old, lies in the future, or is of another epoch", async () => {
    const { clock, primary, hub, events } = await createRunningHub({ retainedEvents: 5 });
    for (let i = 0; i < 10; i++) {
      primary.apply({ upsert: [node(`n${i}`)] });
      await clock.settle();
    }
    const { seqNo } = hub.state;
    expect(hub.eventsSince(hub.epoch, seqNo)).toEqual([]);
    expect(hub.eventsSince(hub.epoch, seqNo - 5)).toEqual(events.slice(-5));
    expect(hub.eventsSince(hub.epoch, seqNo - 6)).toBeUndefined();
    expect(hub.eventsSince(hub.epoch, seqNo + 1)).toBeUndefined();
    expect(hub.eventsSince("another", seqNo)).toBeUndefined();
  });

  test("hold no more changed nodes than `retainedChanges`, and always include the newest snapshot", async () => {
    const { clock, primary, hub } = await createRunningHub({ retainedChanges: 30 });
    const sizes = [11, 12, 13, 60];
    const first = hub.state.seqNo;
    for (const size of sizes) {
      primary.set(Array.from({ length: size }, (_, i) => ({ ...node(`n${i}`), port: size })));
      await clock.settle();
    }
    const { seqNo } = hub.state;
    expect(seqNo).toBe(first + sizes.length);
    expect(hub.eventsSince(hub.epoch, seqNo - 1)).toMatchObject([{ seqNo, kind: "snapshot" }]);
    expect(hub.eventsSince(hub.epoch, seqNo - 2)).toBeUndefined();
  });

  test("are few when versions differ in many chunks, and many when they differ in one", async () => {
    const { clock, primary, hub } = await createRunningHub({ retainedChanges: 1_000 });
    const kept = () => {
      let count = 0;
      while (hub.eventsSince(hub.epoch, hub.state.seqNo - count - 1) !== undefined) count++;
      return count;
    };
    for (let version = 1; version <= 50; version++) {
      primary.set(spread(version));
      await clock.settle();
    }
    const afterSpread = kept();
    for (let version = 51; version <= 100; version++) {
      primary.apply({ upsert: [{ ...node("n7"), port: version }] });
      await clock.settle();
    }
    expect(afterSpread).toBeLessThan(10);
    expect(kept()).toBeGreaterThan(40);
  });

  test("hold no more copies of equal members than `retainedChanges`, as restarted watches deliver them", async () => {
    const { clock, backup, failover, hub } = await createRunningHub({ retainedChanges: 1_000 });
    const members = Array.from({ length: 300 }, (_, i) => node(`n${i}`));
    const copies = new Set<unknown>();
    for (let port = 1; port <= 20; port++) {
      const changing = { ...node("x"), port };
      const renewed = new MemoryProvider({
        id: "primary",
        priority: 2,
        clock,
        members: [...members, changing],
      });
      failover.reconfigure([renewed, backup]);
      await clock.settle();
    }
    for (let seqNo = hub.state.seqNo - 1; seqNo > 0; seqNo--) {
      const event = hub.eventsSince(hub.epoch, seqNo)?.[0];
      if (event?.kind === "snapshot") copies.add(event.snapshot.members.get("n7"));
    }
    expect(copies.size).toBe(3);
  });
});
