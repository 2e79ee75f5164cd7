import { describe, expect, test } from "vitest";
import { createController, FINAL } from "../test/create-controller.ts";

describe("an override", () => {
  test("switches to a healthy provider at once, and keeps it active although another has a higher priority", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    expect(c.override("b", 1).switched).toEqual({ from: "a", to: "b", reason: "manual_override" });
    expect(c.tick(60_000).switched).toBeUndefined();
  });

  test("switches only when the pinned provider is healthy", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.silent("b", 1);
    expect(c.override("b", 2).switched).toBeUndefined();
    expect(c.alive("b", 3).switched).toMatchObject({ to: "b", reason: "manual_override" });
  });

  test("switches away from the pinned provider when that fails, and back once it has been healthy for a cooldown", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.override("b", 1);
    expect(c.silent("b", 20_000)).toMatchObject({ active: "a", switched: { reason: "timeout" } });
    c.alive("b", 21_000);
    expect(c.tick(31_000).switched).toMatchObject({ to: "b", reason: "recovered" });
  });

  test("has no effect after its release: the priorities decide again", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.override("b", 1);
    expect(c.override(undefined, 20_000).switched).toEqual({ from: "b", to: "a", reason: "recovered" });
  });
});

describe("a new set of providers", () => {
  test("without the active provider switches to a healthy one at once", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    expect(c.configure([{ id: "b", priority: 1 }], 1).switched).toEqual({
      from: "a",
      to: "b",
      reason: "removed_by_reload",
    });
  });

  test("without the active provider does not switch to a provider that was replaced at the same time", () => {
    // R5.4
    const c = createController({ a: 3, b: 2, c: 1 });
    for (const id of ["a", "b", "c"]) c.alive(id, 0);
    const set = [
      { id: "b", priority: 2, isReplaced: true },
      { id: "c", priority: 1 },
    ];
    expect(c.configure(set, 1)).toMatchObject({
      active: "c",
      switched: { from: "a", to: "c", reason: "removed_by_reload" },
      healthChanges: [{ providerId: "b", from: "healthy", to: "idle" }],
    });
  });

  test("without any provider has no active one; the next provider then takes over from the last", () => {
    // R3.4
    const c = createController({ a: 1 });
    c.alive("a", 0);
    expect(c.configure([], 1)).toMatchObject({ active: undefined, availability: "unavailable" });
    expect(c.active).toBeUndefined();
    expect(c.configure([{ id: "b", priority: 1 }], 2)).toMatchObject({
      active: "b",
      switched: { from: "a", to: "b", reason: "removed_by_reload" },
    });
  });

  test("with a new provider of higher priority switches to it once it has been healthy for a cooldown", () => {
    const c = createController({ b: 1 });
    c.alive("b", 0);
    c.configure(
      [
        { id: "a", priority: 2 },
        { id: "b", priority: 1 },
      ],
      1,
    );
    c.alive("a", 2);
    expect(c.tick(10_001).switched).toBeUndefined();
    expect(c.tick(10_002).switched?.reason).toBe("recovered");
  });
});

describe("cold standbys", () => {
  test("are watched one after the other, and only when the active provider fails", () => {
    const c = createController({ a: 3, b: 2, c: 1 }, { standby: "cold" });
    expect([...c.alive("a", 0).watched]).toEqual(["a"]);
    expect([...c.silent("a", 20_000).watched]).toEqual(["a", "b"]);
    c.connecting("b", 20_000);
    expect([...c.failed("b", FINAL, 20_001).watched]).toEqual(["a", "b", "c"]);
    c.connecting("c", 20_001);
    const taken = c.alive("c", 20_002);
    expect(taken.active).toBe("c");
    expect([...taken.watched]).toEqual(["a", "b", "c"]);
    c.alive("a", 20_003);
    expect([...c.tick(30_003).watched]).toEqual(["a"]);
    expect(c.candidate("c")?.health).toBe("idle");
  });

  test("stay watched until the active provider has been healthy for one cooldown", () => {
    // R2.5
    const c = createController({ a: 3, b: 2, c: 1 }, { standby: "cold" });
    c.alive("a", 0);
    c.ended("a", 20_000);
    c.connecting("b", 20_000);
    const back = c.alive("a", 21_000);
    expect(back).toMatchObject({ active: "a", wakeAt: 31_000 });
    expect([...back.watched]).toEqual(["a", "b"]);
    expect([...c.tick(30_999).watched]).toEqual(["a", "b"]);
    expect([...c.tick(31_000).watched]).toEqual(["a"]);
  });
});
