import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { countOthers, QuerySlots } from "./query-slots.ts";

const { signal } = new AbortController();
const address = "http://a.test:8500";
const LIMIT = 8;

/** Slots whose own queries are all taken by the returned users. */
function createFull() {
  const slots = new QuerySlots(new VirtualClock(), LIMIT);
  const holders = Array.from({ length: LIMIT }, () => {
    const user = slots.join(2_500);
    return { user, slot: user.takeOwn(50_000)! };
  });
  return { slots, holders };
}

function end({ slot }: ReturnType<typeof createFull>["holders"][number]): void {
  slot.settle();
  slot[Symbol.dispose]();
}

describe("QuerySlots", () => {
  test("up to the limit, every watch has a query of its own; further ones take turns", async () => {
    const { slots, holders } = createFull();
    expect(holders.every(({ slot }) => slot !== undefined)).toBe(true);
    const user = slots.join(2_500);
    expect(user.takeOwn(50_000)).toBeUndefined();
    using turn = await user.takeTurn({ address, signal });
    expect(turn.waitMs).toBeGreaterThan(0);
    end(holders[0]!);
    expect(user.takeOwn(50_000)).toBeDefined();
  });

  test("a watch keeps its query if none of those that take turns has changed more recently", async () => {
    const { slots, holders } = createFull();
    const user = slots.join(2_500);
    (await user.takeTurn({ address, signal }))[Symbol.dispose]();
    end(holders[0]!);
    expect(holders[0]!.user.takeOwn(50_000)).toBeDefined();
    expect(user.takeOwn(50_000)).toBeUndefined();
  });

  test("a query that ends gives its slot to the watch that has changed most recently", async () => {
    const { slots, holders } = createFull();
    const [older, newer] = [slots.join(2_500), slots.join(2_500)];
    for (const each of [older, newer]) (await each.takeTurn({ address, signal }))[Symbol.dispose]();
    older.markChanged(1);
    newer.markChanged(2);
    end(holders[0]!);
    expect(holders[0]!.user.takeOwn(50_000)).toBeUndefined();
    expect(older.takeOwn(50_000)).toBeUndefined();
    expect(newer.takeOwn(50_000)).toBeDefined();
    end(holders[1]!);
    expect(older.takeOwn(50_000)).toBeDefined();
    // A watch that has left keeps no slot reserved.
    const gone = slots.join(2_500);
    (await gone.takeTurn({ address, signal }))[Symbol.dispose]();
    gone.markChanged(3);
    gone[Symbol.dispose]();
    end(holders[2]!);
    expect(holders[2]!.user.takeOwn(50_000)).toBeDefined();
  });

  test("the slots for turns, and those for other requests, are an eighth, but at least four", () => {
    expect([8, 32, 33, 64, 128].map(countOthers)).toEqual([4, 4, 5, 8, 16]);
  });
});
