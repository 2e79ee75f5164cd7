import { createSnapshot, MemberSet, type KnownGood } from "@holdfast/core";
import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { createGuardedFailover, node, TEN } from "../test/create-guarded-failover.ts";
import { Failover } from "./failover.ts";

const ALL_LISTED = TEN.join(" ");

describe("the last known good snapshot", () => {
  const START = Date.UTC(2026, 0, 1);

  function knownOf(providerId: string, ids: readonly string[], ageMs = 10_000): KnownGood {
    const members = MemberSet.from(ids.map(node));
    const confirmedAt = START - ageMs;
    return {
      snapshot: createSnapshot({ providerId, members, observedAt: confirmedAt }),
      confirmedAt,
      source: "s",
    };
  }

  test("is served as degraded, with its age, until every provider is unreachable; then the availability is unavailable", async () => {
    // R2.7 R5.3: a process that had been running all the time behaves in the same way.
    const known = knownOf("primary", ["a"]);
    const { clock, primary, backup, takeFacts, facts, end } = await createGuardedFailover({
      known,
      isHanging: true,
    });
    const reason = facts.all.find((fact) => fact.type === "availability")?.reason;
    expect(reason).toMatch(/last known good snapshot of "primary", confirmed 10 s before this start/);
    expect(takeFacts()).toEqual(["last_known_good holds 1 for 50000 ms", "degraded", "primary: a"]);
    await clock.advance(14_999);
    expect(takeFacts()).toEqual([]);
    await clock.advance(1);
    expect(takeFacts()).toEqual(["unavailable"]);
    await clock.advance(35_000);
    expect(takeFacts()).toEqual(["last_known_good ended"]);
    primary.recover();
    backup.recover();
    await clock.advance(30_000);
    expect(takeFacts()).toContain(`primary: ${ALL_LISTED}`);
    await end();
  });

  test("is replaced by the first snapshot of its provider, even if that lists fewer members", async () => {
    const { takeFacts, end } = await createGuardedFailover({
      known: knownOf("primary", ["a", "n1"]),
      primary: ["n1", "n2"],
    });
    expect(takeFacts()).toEqual([
      "last_known_good holds 2 for 50000 ms",
      "degraded",
      "primary: a n1",
      "primary: n1 n2",
      "last_known_good ended",
      "available",
    ]);
    await end();
  });

  test("is replaced by the first snapshot of another provider without a removal dwell", async () => {
    // R3.4: no member comes back only because it was stored.
    const { takeFacts, end } = await createGuardedFailover({
      known: knownOf("backup", ["a", "n1"]),
      primary: ["n1"],
    });
    expect(takeFacts().slice(3)).toEqual(["primary: n1", "last_known_good ended", "available"]);
    await end();
  });

  test("is compared with the first snapshot by the mass-removal guard, so a provider that lost its data removes no member", async () => {
    // R2.7 R2.8
    const { clock, takeFacts, end } = await createGuardedFailover({
      known: knownOf("primary", TEN),
      primary: [],
      backup: TEN,
    });
    const kept = TEN.map((id) => `(${id})`).join(" ");
    expect(takeFacts().filter((line) => !line.startsWith("last_known_good"))).toEqual([
      "degraded",
      `primary: ${ALL_LISTED}`,
      "mass_removal holds 10 for 300000 ms",
      `primary: ${kept}`,
      "available",
      // The standby has delivered, and is named in the reason.
      "mass_removal holds 10 for 300000 ms",
    ]);
    await clock.advance(300_000);
    expect(takeFacts()).toEqual(["primary: ", "mass_removal ended"]);
    await end();
  });

  test("names the standby that still lists the members as soon as it has delivered a snapshot", async () => {
    // R2.8 R5.5
    const { clock, primary, backup, facts, end } = await createGuardedFailover({
      known: knownOf("primary", TEN),
      isHanging: true,
    });
    const reason = () =>
      facts.all.flatMap((fact) =>
        fact.type === "hold" && fact.hold.guard === "mass_removal" ? fact.hold.reason : [],
      );
    primary.set([]);
    primary.recover();
    await clock.settle();
    expect(reason()).toEqual([
      expect.stringContaining("kept until the other providers have delivered a snapshot"),
    ]);
    backup.recover();
    await clock.settle();
    expect(reason()).toEqual([
      expect.anything(),
      expect.stringContaining('"backup" still lists some of them'),
    ]);
    await end();
  });

  test("is replaced by the first snapshot when no standby delivers one", async () => {
    // R2.7 R2.8
    const known = knownOf("primary", TEN);
    const { clock, primary, backup, takeFacts, end } = await createGuardedFailover({
      known,
      isRefusing: true,
    });
    backup.hang();
    primary.set([]);
    primary.recover();
    await clock.advance(60_000);
    expect(takeFacts()).toContain("primary: ");
    await end();
  });

  test.each([
    ["too old", 60_000, "60 s ago"],
    ["from the future", -61_000, "in the future"],
    ["without a time", Number.NaN, "NaN"],
  ])("is rejected with STORE_EXPIRED when it is %s", (_, ageMs, words) => {
    const clock = new VirtualClock();
    const failover = new Failover({ providers: [], clock, random: () => 0 });
    const known = knownOf("primary", ["a"], ageMs);
    expect(() => failover.restore({ known, maxAgeMs: 60_000 })).toThrow(words);
    expect(() => failover.restore({ known, maxAgeMs: 60_000 })).toThrow("STORE_EXPIRED");
  });

  test("is not in `providerViews()` after the run", async () => {
    const { clock, failover, end } = await createGuardedFailover({
      known: knownOf("primary", ["a"]),
      isRefusing: true,
    });
    await end();
    expect(clock.pendingTimers).toBe(0);
    expect(failover.providerViews()).toEqual([]);
  });
});
