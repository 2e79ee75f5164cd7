import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Decision } from "./decision.ts";
import { createController, FINAL, LATE, RETRYABLE } from "../test/create-controller.ts";

const COOLDOWN = 10_000;

// R2.5 R2.6: the rules of ARCHITECTURE.md, checked against a separate model.
const ids = ["a", "b", "c"] as const;
const commands = fc.array(
  fc.record({
    wait: fc.constantFrom(0, 1, 500, 3_000, 9_999, 10_000, 15_000),
    id: fc.constantFrom(...ids),
    what: fc.constantFrom("alive", "alive", "alive", "late", "failed", "final", "silent", "ended", "tick"),
  }),
  { maxLength: 60 },
);

test("the failover rules hold for every sequence of inputs", () => {
  fc.assert(
    fc.property(commands, (script) => {
      const c = createController({ a: 3, b: 2, c: 1 });
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
          // A provider that was left while unhealthy is chosen again only after a cooldown of health.
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
          // An unreachable provider is not active while a trusted one exists.
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
        // Without an input, nothing changes before `wakeAt`.
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
          const decision = c.tick(now);
          expect(decision.switched).toBeUndefined();
          check(decision);
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
