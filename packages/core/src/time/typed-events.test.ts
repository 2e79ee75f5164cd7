import { describe, expect, expectTypeOf, test } from "vitest";
import { systemClock } from "./system-clock.ts";
import { createTypedEvents, type TypedEvents } from "./typed-events.ts";

type Events = { changed: number; closed: undefined };

function setUp(): {
  readonly events: TypedEvents<Events>;
  readonly log: unknown[];
  readonly errors: unknown[];
} {
  const errors: unknown[] = [];
  return { events: createTypedEvents<Events>((error, type) => errors.push([type, error])), log: [], errors };
}

describe("createTypedEvents", () => {
  test("calls the listeners of a type in the order they subscribed", () => {
    const { events, log } = setUp();
    events.on("changed", (n) => log.push(`a${n}`));
    events.on("closed", () => log.push("closed"));
    events.on("changed", (n) => log.push(`b${n}`));
    events.emit("changed", 1);
    events.emit("changed", 2);
    expect(log).toEqual(["a1", "b1", "a2", "b2"]);
  });

  test("a listener that throws or rejects is reported and does not affect the others", async () => {
    const { events, log, errors } = setUp();
    events.on("changed", () => {
      throw new Error("thrown");
    });
    events.on("changed", async () => {
      throw new Error("rejected");
    });
    events.on("changed", () => ({
      // oxlint-disable-next-line unicorn/no-thenable -- any thenable counts, not only promises
      then: (_: unknown, reject: (error: Error) => void) => reject(new Error("thenable")),
    }));
    events.on("changed", (n) => log.push(n));
    expect(() => events.emit("changed", 1)).not.toThrow();
    expect(log).toEqual([1]);
    await systemClock.yield();
    expect(errors).toEqual([
      ["changed", new Error("thrown")],
      ["changed", new Error("thenable")],
      ["changed", new Error("rejected")],
    ]);
  });

  test("other results of a listener are ignored", () => {
    const { events, errors } = setUp();
    for (const value of [null, undefined, 1, "then", {}, []]) events.on("changed", () => value);
    events.emit("changed", 1);
    expect(errors).toEqual([]);
  });

  test("an unsubscribed listener is not called, even during an emit", () => {
    const { events, log } = setUp();
    const unsubscribeFirst = events.on("changed", () => {
      log.push("first");
      unsubscribeFirst();
      unsubscribeSecond();
    });
    const unsubscribeSecond = events.on("changed", () => log.push("second"));
    events.on("changed", () => log.push("third"));
    events.emit("changed", 1);
    events.emit("changed", 2);
    expect(log).toEqual(["first", "third", "third"]);
    unsubscribeFirst();
  });

  test("a listener subscribed during an emit receives the next event", () => {
    const { events, log } = setUp();
    const unsubscribe = events.on("changed", () => {
      unsubscribe();
      events.on("changed", (n) => log.push(n));
    });
    events.emit("changed", 1);
    events.emit("changed", 2);
    expect(log).toEqual([2]);
  });

  test("the same function may subscribe twice, and each subscription ends separately", () => {
    const { events, log } = setUp();
    const listener = (n: number) => log.push(n);
    const unsubscribe = events.on("changed", listener);
    events.on("changed", listener);
    events.emit("changed", 1);
    unsubscribe();
    unsubscribe();
    events.emit("changed", 2);
    expect(log).toEqual([1, 1, 2]);
  });

  test("clear removes every listener, also during an emit", () => {
    const { events, log } = setUp();
    events.on("changed", () => events.clear());
    events.on("changed", (n) => log.push(n));
    events.on("closed", () => log.push("closed"));
    events.emit("changed", 1);
    events.emit("closed", undefined);
    expect(log).toEqual([]);
    events.on("changed", (n) => log.push(n));
    events.emit("changed", 2);
    expect(log).toEqual([2]);
  });
});

test("listeners receive the event of their type", () => {
  expectTypeOf<Parameters<TypedEvents<Events>["on"]>[0]>().toEqualTypeOf<"changed" | "closed">();
  createTypedEvents<Events>(() => {}).on("changed", (event) => expectTypeOf(event).toBeNumber());
});
