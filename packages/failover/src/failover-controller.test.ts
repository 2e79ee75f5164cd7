import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Decision, ProviderFailure } from "./decision.ts";
import { FailoverController } from "./failover-controller.ts";
import { toHealthPolicy, type HealthOptions } from "./health-policy.ts";

const RETRYABLE: ProviderFailure = {
  reason: { code: "STREAM_FAILED", message: "the connection broke" },
  retryable: true,
};
const FINAL: ProviderFailure = {
  reason: { code: "CONNECTIVITY_UNAUTHORIZED", message: "the token was refused", details: { status: 403 } },
  retryable: false,
};
const LATE = { code: "STREAM_LATE", message: "the snapshot was 9000 ms old" } as const;
const COOLDOWN = 10_000;

function controller(priorities: Record<string, number>, options: HealthOptions = {}) {
  const made = new FailoverController(toHealthPolicy(options));
  const first = made.configure(
    Object.entries(priorities).map(([id, priority]) => ({ id, priority })),
    0,
  );
  for (const id of first.watched) made.connecting(id, 0);
  return made;
}

describe("at the start", () => {
  test("the provider of highest priority is waited for: a faster stand-by does not jump the queue", () => {
    // R2.5
    const c = controller({ a: 2, b: 1 });
    expect(c.alive("b", 100)).toMatchObject({ active: "a", switched: undefined, availability: "degraded" });
    expect(c.alive("a", 200)).toMatchObject({ active: "a", switched: undefined, availability: "available" });
  });

  test("a stand-by takes over when the one waited for is silent for too long", () => {
    // R2.5 R2.6
    const c = controller({ a: 2, b: 1 });
    c.alive("b", 100);
    expect(c.silent("a", 15_000)).toMatchObject({
      active: "b",
      switched: { from: "a", to: "b", reason: "timeout" },
    });
  });

  test("equal priorities are told apart by id", () => {
    expect(controller({ b: 1, a: 1 }).active).toBe("a");
  });

  test("without a provider nothing is available", () => {
    expect(controller({}).tick(1)).toMatchObject({ active: undefined, availability: "unavailable" });
  });
});

describe("failures", () => {
  test("errors below the limit leave the provider degraded but in place; the third in a row moves on", () => {
    // R2.6
    const c = controller({ a: 2, b: 1 });
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

  test("a sign of life sets the count of errors back", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.failed("a", RETRYABLE, 1);
    c.failed("a", RETRYABLE, 2);
    c.alive("a", 3);
    expect(c.failed("a", RETRYABLE, 4)).toMatchObject({ active: "a", switched: undefined });
  });

  test("a failure that retrying cannot mend moves on at once", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("b", 0);
    expect(c.failed("a", FINAL, 1)).toMatchObject({ active: "b", switched: { reason: "errors" } });
  });

  test("a refusal of a provider that has worked is an error like others, until there are too many", () => {
    // R2.6
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    for (const now of [1_000, 2_000]) {
      expect(c.failed("a", FINAL, now)).toMatchObject({ active: "a", availability: "degraded" });
      expect(c.candidate("a")?.health).toBe("degraded");
    }
    expect(c.failed("a", FINAL, 3_000)).toMatchObject({ active: "b", switched: { reason: "errors" } });
  });

  test("a stream ended by its backend moves on at once", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    expect(c.ended("a", 1)).toMatchObject({ active: "b", switched: { reason: "stream_ended" } });
  });

  test("a lone provider whose stream ended is held, degraded", () => {
    const c = controller({ a: 1 });
    c.alive("a", 0);
    expect(c.ended("a", 1)).toMatchObject({ active: "a", availability: "degraded" });
    expect(c.alive("a", 2)).toMatchObject({ active: "a", availability: "available" });
  });

  test("a late snapshot prefers a healthy alternate, and stays where there is none", () => {
    // R2.6
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    expect(c.late("a", LATE, 1)).toMatchObject({ active: "a", availability: "degraded" });
    expect(c.alive("b", 2)).toMatchObject({ active: "b", switched: { reason: "health_degraded" } });
  });

  test("every provider unreachable is unavailable, told with each one's code, until one delivers", () => {
    // R5.3
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.failed("b", FINAL, 1);
    const gone = c.silent("a", 2);
    expect(gone.availability).toBe("unavailable");
    expect(gone.reason).toContain("a (STREAM_SILENT), b (CONNECTIVITY_UNAUTHORIZED)");
    expect(c.alive("b", 3)).toMatchObject({ active: "b", availability: "available" });
  });
});

test("once unavailable it stays so until somebody delivers: a provider that is only tried is no hope yet", () => {
  // R5.3
  const c = controller({ a: 1 });
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

describe("coming back", () => {
  test("a recovered provider of higher priority gets its place back after a cooldown of health, not before", () => {
    // R2.6
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.silent("a", 1_000);
    c.alive("b", 1_000);
    const back = c.alive("a", 5_000);
    expect(back).toMatchObject({ active: "b", switched: undefined, wakeAt: 11_000 });
    expect(c.tick(14_999).switched).toBeUndefined();
    expect(c.tick(15_000).switched).toEqual({ from: "b", to: "a", reason: "recovered" });
  });

  test("a break in its health starts the cooldown over", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.silent("a", 1_000);
    c.alive("a", 5_000);
    c.failed("a", RETRYABLE, 9_000);
    c.alive("a", 10_000);
    expect(c.tick(19_999).switched).toBeUndefined();
    expect(c.tick(20_000).switched?.reason).toBe("recovered");
  });

  test("two providers that fail in turn do not bounce: the last content is held until one is proven", () => {
    // R2.6
    const c = controller({ a: 2, b: 1 });
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

  test("within a cooldown a further switch goes only to a provider that has not failed in it", () => {
    const c = controller({ a: 3, b: 2, c: 1 });
    for (const id of ["a", "b", "c"]) c.alive(id, 0);
    c.silent("a", 20_000);
    expect(c.silent("b", 21_000)).toMatchObject({ active: "c", switched: { from: "b", to: "c" } });
  });

  test("who failed within the cooldown but was never left takes over once the last switch is a cooldown ago", () => {
    const c = controller({ a: 3, b: 2, c: 1 });
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
  test("while it is being reconnected to makes a provider unreachable at the timeout, however few its errors", () => {
    // R2.6
    const c = controller({ a: 2, b: 1 }, { maxErrors: 100 });
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

  test("is no silence where late snapshots come", () => {
    const c = controller({ a: 1 });
    for (let now = 0; now < 100_000; now += 14_000) {
      expect(c.late("a", LATE, now)).toMatchObject({ active: "a", availability: "degraded" });
    }
  });

  test("is broken by a late snapshot also of one past help, but not by life without content", () => {
    // R5.3
    const c = controller({ a: 1 });
    c.silent("a", 15_000);
    expect(c.awaiting("a", LATE, 16_000).availability).toBe("unavailable");
    expect(c.late("a", LATE, 17_000).availability).toBe("degraded");
    expect(c.awaiting("a", LATE, 18_000).availability).toBe("degraded");
  });
});

describe("an override", () => {
  test("pins a healthy provider at once and holds it against a better one", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    expect(c.override("b", 1).switched).toEqual({ from: "a", to: "b", reason: "manual_override" });
    expect(c.tick(60_000).switched).toBeUndefined();
  });

  test("waits for the pinned provider to be healthy", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.silent("b", 1);
    expect(c.override("b", 2).switched).toBeUndefined();
    expect(c.alive("b", 3).switched).toMatchObject({ to: "b", reason: "manual_override" });
  });

  test("does not keep anybody on a pinned provider that fails", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.override("b", 1);
    expect(c.silent("b", 20_000)).toMatchObject({ active: "a", switched: { reason: "timeout" } });
    c.alive("b", 21_000);
    expect(c.tick(31_000).switched).toMatchObject({ to: "b", reason: "recovered" });
  });

  test("released, the order of priorities holds again", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    c.override("b", 1);
    expect(c.override(undefined, 20_000).switched).toEqual({ from: "b", to: "a", reason: "recovered" });
  });
});

describe("a reload", () => {
  test("that takes the active provider away moves to a healthy one at once", () => {
    const c = controller({ a: 2, b: 1 });
    c.alive("a", 0);
    c.alive("b", 0);
    expect(c.configure([{ id: "b", priority: 1 }], 1).switched).toEqual({
      from: "a",
      to: "b",
      reason: "removed_by_reload",
    });
  });

  test("that takes one away and replaces another neither trusts the new one nor names the one taken", () => {
    // R5.4
    const c = controller({ a: 3, b: 2, c: 1 });
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

  test("that takes all away leaves nobody; who comes next takes over from the last one", () => {
    // R3.4
    const c = controller({ a: 1 });
    c.alive("a", 0);
    expect(c.configure([], 1)).toMatchObject({ active: undefined, availability: "unavailable" });
    expect(c.active).toBeUndefined();
    expect(c.configure([{ id: "b", priority: 1 }], 2)).toMatchObject({
      active: "b",
      switched: { from: "a", to: "b", reason: "removed_by_reload" },
    });
  });

  test("that adds a better provider waits until it is proven", () => {
    const c = controller({ b: 1 });
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

describe("cold stand-bys", () => {
  test("are watched only once the active provider ails, one after the other", () => {
    const c = controller({ a: 3, b: 2, c: 1 }, { standby: "cold" });
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

  test("once woken are kept until the active provider is proven: one that comes and goes does not starve them", () => {
    // R2.5
    const c = controller({ a: 3, b: 2, c: 1 }, { standby: "cold" });
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

// R2.5 R2.6: the rules of ARCHITECTURE.md, checked against a record of their own.
describe("whatever happens", () => {
  const ids = ["a", "b", "c"] as const;
  const commands = fc.array(
    fc.record({
      wait: fc.constantFrom(0, 1, 500, 3_000, 9_999, 10_000, 15_000),
      id: fc.constantFrom(...ids),
      what: fc.constantFrom("alive", "alive", "alive", "late", "failed", "final", "silent", "ended", "tick"),
    }),
    { maxLength: 60 },
  );

  test("the fail-over rules hold", () => {
    fc.assert(
      fc.property(commands, (script) => {
        const c = controller({ a: 3, b: 2, c: 1 });
        const failedAt = new Map<string, number>();
        const healthySince = new Map<string, number>();
        const leftAt = new Map<string, number>();
        let lastSwitchAt = Number.NEGATIVE_INFINITY;
        let active: string = "a";
        let now = 0;
        let wakeAt: number | undefined;
        const isProven = (id: string) => now - (healthySince.get(id) ?? Number.POSITIVE_INFINITY) >= COOLDOWN;
        const check = (decision: Decision) => {
          const { switched } = decision;
          if (switched !== undefined) {
            expect(switched.from).toBe(active);
            expect(healthySince.has(switched.to)).toBe(true);
            const isQuick = now - lastSwitchAt < COOLDOWN;
            if (isQuick)
              expect(now - (failedAt.get(switched.to) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(
                COOLDOWN,
              );
            // Who was left unhealthy comes back only once proven.
            if (leftAt.has(switched.to)) expect(isProven(switched.to)).toBe(true);
            if (switched.reason === "recovered") {
              expect(switched.to < switched.from).toBe(true);
              expect(isProven(switched.to)).toBe(true);
            } else {
              expect(healthySince.has(switched.from)).toBe(false);
            }
            if (!isProven(switched.from)) leftAt.set(switched.from, now);
            leftAt.delete(switched.to);
            lastSwitchAt = now;
            active = switched.to;
          }
          expect(decision.active).toBe(active);
          const healths = ids.map((id) => c.candidate(id)!.health);
          expect(decision.availability === "unavailable").toBe(
            healths.every((health) => health === "unreachable"),
          );
          expect(decision.availability === "available").toBe(c.candidate(active)!.health === "healthy");
          for (const id of ids) {
            expect(c.candidate(id)!.health === "healthy").toBe(healthySince.has(id));
            // Nobody stays with one that is past help while a trusted one is there.
            const isTrusted =
              healthySince.has(id) &&
              (!leftAt.has(id) || isProven(id)) &&
              now - (failedAt.get(id) ?? Number.NEGATIVE_INFINITY) >= COOLDOWN;
            if (isTrusted) expect(c.candidate(active)!.health).not.toBe("unreachable");
            if (isProven(id)) leftAt.delete(id);
          }
          wakeAt = decision.wakeAt;
          if (wakeAt !== undefined) expect(wakeAt).toBeGreaterThan(now);
        };
        for (const { wait, id, what } of script) {
          // Time alone does nothing before the wake-up that was asked for.
          const until = now + wait;
          while (wakeAt !== undefined && wakeAt <= until) {
            if (wakeAt - 1 > now) {
              now = wakeAt - 1;
              const early = c.tick(now);
              expect(early.switched).toBeUndefined();
              check(early);
            }
            now = Math.max(wakeAt ?? now, now);
            check(c.tick(now));
          }
          if (until > now) {
            now = until;
            const quiet = c.tick(now);
            expect(quiet.switched).toBeUndefined();
            check(quiet);
          }
          if (what === "alive") {
            if (!healthySince.has(id)) healthySince.set(id, now);
            check(c.alive(id, now));
          } else if (what !== "tick") {
            healthySince.delete(id);
            failedAt.set(id, now);
            if (what === "late") check(c.late(id, LATE, now));
            else if (what === "silent") check(c.silent(id, now));
            else if (what === "ended") check(c.ended(id, now));
            else check(c.failed(id, what === "final" ? FINAL : RETRYABLE, now));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
