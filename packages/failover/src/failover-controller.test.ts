import { describe, expect, test } from "vitest";
import { createController, FINAL, LATE, RETRYABLE } from "../test/create-controller.ts";

describe("at the start", () => {
  test("waits for the provider of highest priority, even if a standby is faster", () => {
    // R2.5
    const c = createController({ a: 2, b: 1 });
    expect(c.alive("b", 100)).toMatchObject({ active: "a", switched: undefined, availability: "degraded" });
    expect(c.alive("a", 200)).toMatchObject({ active: "a", switched: undefined, availability: "available" });
  });

  test("switches to a standby when the provider of highest priority is silent for the timeout", () => {
    // R2.5 R2.6
    const c = createController({ a: 2, b: 1 });
    c.alive("b", 100);
    expect(c.silent("a", 15_000)).toMatchObject({
      active: "b",
      switched: { from: "a", to: "b", reason: "timeout" },
    });
  });

  test("orders providers of equal priority by id", () => {
    expect(createController({ b: 1, a: 1 }).active).toBe("a");
  });

  test("is unavailable without a provider", () => {
    expect(createController({}).tick(1)).toMatchObject({ active: undefined, availability: "unavailable" });
  });
});

describe("failures", () => {
  test("keeps a provider, as degraded, for two errors in a row and switches at the third", () => {
    // R2.6
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    for (const now of [1_000, 2_000]) {
      expect(c.failed("a", RETRYABLE, now)).toMatchObject({
        active: "a",
        switched: undefined,
        availability: "degraded",
      });
      expect(c.candidate("a")?.health).toBe("degraded");
    }
    const third = c.failed("a", RETRYABLE, 3_000);
    expect(third).toMatchObject({ active: "b", switched: { reason: "errors" }, availability: "available" });
    expect(c.candidate("a")?.health).toBe("unreachable");
  });

  test("resets the error count when the provider is alive", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.failed("a", RETRYABLE, 1);
    c.failed("a", RETRYABLE, 2);
    c.alive("a", 3);
    expect(c.failed("a", RETRYABLE, 4)).toMatchObject({ active: "a", switched: undefined });
  });

  test("switches at once when a provider that has never worked refuses access", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("b", 0);
    expect(c.failed("a", FINAL, 1)).toMatchObject({ active: "b", switched: { reason: "errors" } });
  });

  test("counts a refusal like any other error when the provider has worked before", () => {
    // R2.6
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    for (const now of [1_000, 2_000]) {
      expect(c.failed("a", FINAL, now)).toMatchObject({ active: "a", availability: "degraded" });
      expect(c.candidate("a")?.health).toBe("degraded");
    }
    expect(c.failed("a", FINAL, 3_000)).toMatchObject({ active: "b", switched: { reason: "errors" } });
  });

  test("switches at once when the backend ends the stream", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    expect(c.ended("a", 1)).toMatchObject({ active: "b", switched: { reason: "stream_ended" } });
  });

  test("keeps an only provider whose stream ended, as degraded", () => {
    const c = createController({ a: 1 });
    c.alive("a", 0);
    expect(c.ended("a", 1)).toMatchObject({ active: "a", availability: "degraded" });
    expect(c.alive("a", 2)).toMatchObject({ active: "a", availability: "available" });
  });

  test("switches to a healthy provider after a late snapshot, and stays if there is none", () => {
    // R2.6
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    expect(c.late("a", LATE, 1)).toMatchObject({ active: "a", availability: "degraded" });
    expect(c.alive("b", 2)).toMatchObject({ active: "b", switched: { reason: "health_degraded" } });
  });

  test("is unavailable while every provider is unreachable, and gives the error code of each", () => {
    // R5.3
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.failed("b", FINAL, 1);
    const gone = c.silent("a", 2);
    expect(gone.availability).toBe("unavailable");
    expect(gone.reason).toContain("a (STREAM_SILENT), b (CONNECTIVITY_UNAUTHORIZED)");
    expect(c.alive("b", 3)).toMatchObject({ active: "b", availability: "available" });
  });
});

test("stays unavailable until a provider delivers a snapshot: a connection attempt is not enough", () => {
  // R5.3
  const c = createController({ a: 1 });
  c.alive("a", 0);
  c.silent("a", 1);
  const both = [
    { id: "a", priority: 1 },
    { id: "b", priority: 2 },
  ];
  expect(c.configure(both, 2).availability).toBe("unavailable");
  expect(c.connecting("b", 3).availability).toBe("unavailable");
  expect(c.failed("b", RETRYABLE, 4).availability).toBe("unavailable");
  expect(c.alive("b", 5).availability).not.toBe("unavailable");
});

describe("failback and cooldown", () => {
  test("fails back to a provider of higher priority once it has been healthy for one cooldown, not earlier", () => {
    // R2.6
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.silent("a", 1_000);
    c.alive("b", 1_000);
    const back = c.alive("a", 5_000);
    expect(back).toMatchObject({ active: "b", switched: undefined, wakeAt: 11_000 });
    expect(c.tick(14_999).switched).toBeUndefined();
    expect(c.tick(15_000).switched).toEqual({ from: "b", to: "a", reason: "recovered" });
  });

  test("restarts the cooldown when the provider fails again", () => {
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.silent("a", 1_000);
    c.alive("a", 5_000);
    c.failed("a", RETRYABLE, 9_000);
    c.alive("a", 10_000);
    expect(c.tick(19_999).switched).toBeUndefined();
    expect(c.tick(20_000).switched?.reason).toBe("recovered");
  });

  test("does not switch back and forth between two failing providers, and waits until one has been healthy for a cooldown", () => {
    // R2.6
    const c = createController({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.silent("a", 1_000);
    c.alive("a", 2_000);
    const held = c.silent("b", 3_000);
    expect(held).toMatchObject({ active: "b", switched: undefined, availability: "degraded" });
    expect(held.reason).toContain("a is healthy but in its cooldown");
    expect(c.tick(11_999).switched).toBeUndefined();
    expect(c.tick(12_000).switched).toMatchObject({ to: "a", reason: "timeout" });
  });

  test("switches a second time within a cooldown to a provider that has not failed in it", () => {
    const c = createController({ a: 3, b: 2, c: 1 });
    for (const id of ["a", "b", "c"]) c.alive(id, 0);
    c.silent("a", 20_000);
    expect(c.silent("b", 21_000)).toMatchObject({ active: "c", switched: { from: "b", to: "c" } });
  });

  test("switches to a provider that failed within the cooldown once the last switch is a cooldown ago", () => {
    const c = createController({ a: 3, b: 2, c: 1 });
    for (const id of ["a", "b", "c"]) c.alive(id, 0);
    c.silent("a", 20_000);
    c.failed("c", RETRYABLE, 22_000);
    c.alive("c", 22_500);
    expect(c.silent("b", 23_000)).toMatchObject({ active: "b", wakeAt: 30_000 });
    expect(c.tick(29_999).switched).toBeUndefined();
    expect(c.tick(30_000).switched).toMatchObject({ from: "b", to: "c" });
  });
});

describe("silence", () => {
  test("makes a provider that is reconnecting unreachable at the timeout, even with few errors", () => {
    // R2.6
    const c = createController({ a: 2, b: 1 }, { maxErrors: 100 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.failed("a", RETRYABLE, 1_000);
    expect(c.failed("a", RETRYABLE, 14_000).wakeAt).toBe(15_000);
    expect(c.tick(14_999).switched).toBeUndefined();
    expect(c.tick(15_000)).toMatchObject({
      switched: { to: "b", reason: "timeout" },
      healthChanges: [{ providerId: "a", to: "unreachable", reason: { code: "STREAM_SILENT" } }],
    });
  });

  test("is not reported while late snapshots arrive", () => {
    const c = createController({ a: 1 });
    for (let now = 0; now < 100_000; now += 14_000) {
      expect(c.late("a", LATE, now)).toMatchObject({ active: "a", availability: "degraded" });
    }
  });

  test("of an unreachable provider ends with a late snapshot, but not with a heartbeat before its first snapshot", () => {
    // R5.3
    const c = createController({ a: 1 });
    c.silent("a", 15_000);
    expect(c.awaiting("a", LATE, 16_000).availability).toBe("unavailable");
    expect(c.late("a", LATE, 17_000).availability).toBe("degraded");
    expect(c.awaiting("a", LATE, 18_000).availability).toBe("degraded");
  });
});
