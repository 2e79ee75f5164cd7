import { MemoryProvider } from "@holdfast/provider-memory";
import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { createGuardedFailover, lose, node, nodes, TEN } from "../test/create-guarded-failover.ts";
import { Failover } from "./failover.ts";

const ALL_LISTED = TEN.join(" ");

describe("the mass-removal guard", () => {
  const HALF = TEN.slice(5);
  const ALL_RETAINED = TEN.map((id) => `(${id})`).join(" ");

  test("keeps, by default, the members that a healthy standby still lists when half or more are removed at once", async () => {
    // R2.8
    const { clock, primary, takeFacts, facts, end } = await createGuardedFailover({});
    takeFacts();
    primary.set(nodes(...HALF));
    await clock.settle();
    const kept = TEN.slice(0, 5).map((id) => `(${id})`);
    const hold = facts.all.find((fact) => fact.type === "hold")?.hold;
    expect(hold?.reason).toBe(
      '"primary" dropped 5 of 10 members at once, and "backup" still lists some of them; these are kept until it agrees, for 300000 ms at most',
    );
    expect(takeFacts()).toEqual([
      "mass_removal holds 5 for 300000 ms",
      `primary: ${[...kept, ...HALF].join(" ")}`,
    ]);
    await clock.advance(299_999);
    expect(takeFacts()).toEqual([]);
    await clock.advance(1);
    expect(takeFacts()).toEqual([`primary: ${HALF.join(" ")}`, "mass_removal ended"]);
    await end();
  });

  test("names in its reason a standby that still lists the members now, not the one that did so at first", async () => {
    // R2.8 R5.5
    const { clock, primary, backup, failover, facts, end } = await createGuardedFailover({});
    const third = new MemoryProvider({ id: "third", priority: 0, clock, members: nodes(...TEN) });
    failover.reconfigure([primary, backup, third]);
    await clock.settle();
    const reason = () => facts.all.findLast((fact) => fact.type === "hold")?.hold.reason;
    primary.set([]);
    await clock.settle();
    expect(reason()).toContain('and "backup" still lists some of them');
    backup.set([]);
    await clock.settle();
    expect(reason()).toContain('and "third" still lists some of them');
    third.refuse();
    third.fail();
    await clock.settle();
    expect(reason()).toContain('and "third", which is not healthy, listed some of them in its last snapshot');
    await end();
    await third[Symbol.asyncDispose]();
  });

  test("keeps no member when fewer than half are removed, whatever a standby lists", async () => {
    // R2.8
    const { clock, primary, takeFacts, end } = await createGuardedFailover({});
    takeFacts();
    primary.set(nodes(...TEN.slice(4)));
    await clock.settle();
    primary.set(nodes(...TEN.slice(6)));
    await clock.settle();
    expect(takeFacts()).toEqual([`primary: ${TEN.slice(4).join(" ")}`, `primary: ${TEN.slice(6).join(" ")}`]);
    await end();
  });

  test("keeps no member without another healthy provider", async () => {
    // R2.8
    const { clock, primary, backup, takeFacts, end } = await createGuardedFailover({});
    lose(backup);
    await clock.settle();
    takeFacts();
    primary.set([]);
    await clock.settle();
    expect(takeFacts()).toEqual(["primary: "]);
    await end();
  });

  test("removes members at once when all healthy providers have removed them", async () => {
    // R2.8
    const { clock, primary, backup, takeFacts, end } = await createGuardedFailover({});
    takeFacts();
    backup.set(nodes("n0", "n1"));
    primary.set(nodes("n1"));
    await clock.settle();
    // Only n0 is still listed by the standby.
    expect(takeFacts()).toEqual(["mass_removal holds 1 for 300000 ms", "primary: (n0) n1"]);
    backup.set(nodes("n1"));
    await clock.settle();
    expect(takeFacts()).toEqual(["primary: n1", "mass_removal ended"]);
    await end();
  });

  test("keeps a member for at most the hold time, also while repeated switches make the removal dwell keep it", async () => {
    // R2.8: the provider that fails repeatedly lists none of the held members, so their time does not start again.
    const { clock, primary, backup, failover, facts, end } = await createGuardedFailover({
      primary: ["a", "b"],
      backup: [],
    });
    const third = new MemoryProvider({ id: "third", clock, members: nodes("a", "b", "c", "d") });
    failover.reconfigure([primary, backup, third]);
    lose(backup);
    lose(primary);
    const memberIds = () => {
      const last = facts.all.findLast((fact) => fact.type === "snapshot")?.snapshot;
      return [...(last?.members ?? [])].map(({ id }) => id).join(" ");
    };
    await clock.advance(60_000);
    expect(memberIds()).toBe("a b c d");
    backup.recover();
    while (!facts.all.some((fact) => fact.type === "hold" && fact.hold.guard === "mass_removal"))
      await clock.advance(1_000);
    const heldAt = clock.monotonic();
    while (clock.monotonic() < heldAt + 250_000) {
      primary.recover();
      await clock.advance(45_000);
      expect(memberIds()).toBe("a b c d");
      lose(primary);
      await clock.advance(5_000);
    }
    primary.recover();
    await clock.advance(60_000);
    expect(memberIds()).toBe("a b");
    await end();
    await third[Symbol.asyncDispose]();
  });

  test("delays neither a new member nor a changed one while it keeps others", async () => {
    // R2.8 R4.3
    const { clock, primary, takeFacts, facts, end } = await createGuardedFailover({});
    primary.set([]);
    await clock.settle();
    takeFacts();
    primary.set(nodes("x"));
    await clock.settle();
    expect(takeFacts()).toEqual([`primary: ${ALL_RETAINED} x`]);
    primary.set([{ ...node("x"), port: 81 }]);
    await clock.settle();
    const last = facts.all.findLast((fact) => fact.type === "snapshot")?.snapshot;
    expect(last?.members.get("x")?.port).toBe(81);
    expect(last?.members.size).toBe(11);
    await end();
  });

  test("keeps all members at a failback to a primary that has lost its data", async () => {
    // R2.8
    const { clock, primary, takeFacts, end } = await createGuardedFailover({});
    lose(primary);
    await clock.settle();
    takeFacts();
    primary.set([]);
    primary.recover();
    await clock.advance(60_000);
    expect(takeFacts()).toEqual([
      "backup > primary",
      expect.stringMatching(/^mass_removal holds 10 for 2\d+/),
      `primary: ${ALL_RETAINED}`,
    ]);
    primary.set(nodes(...TEN));
    await clock.settle();
    expect(takeFacts()).toEqual([`primary: ${ALL_LISTED}`, "mass_removal ended"]);
    await end();
  });

  test("does not keep the same removed members a second time for a static standby, even after a switch to it and back", async () => {
    // R2.8
    const { clock, primary, takeFacts, end } = await createGuardedFailover({});
    primary.set(nodes("n1"));
    await clock.advance(300_000);
    expect(takeFacts().at(-1)).toBe("mass_removal ended");
    lose(primary);
    await clock.settle();
    expect(takeFacts().at(-1)).toBe(`backup: ${ALL_LISTED}`);
    primary.recover();
    await clock.advance(60_000);
    expect(takeFacts()).toEqual(["backup > primary", "primary: n1"]);
    await end();
  });

  test("keeps a member again for the same standby after the primary had listed it again", async () => {
    // R2.8
    const { clock, primary, takeFacts, end } = await createGuardedFailover({});
    primary.set(nodes("n1"));
    await clock.advance(300_000);
    primary.set(nodes(...TEN));
    await clock.settle();
    takeFacts();
    primary.set(nodes("n1"));
    await clock.settle();
    expect(takeFacts()[0]).toBe("mass_removal holds 9 for 300000 ms");
    await end();
  });

  test("keeps members for a standby that fails during the hold, but not for one that is removed from the configuration", async () => {
    // R2.8
    const { clock, primary, backup, failover, takeFacts, end } = await createGuardedFailover({});
    primary.set([]);
    await clock.settle();
    takeFacts();
    lose(backup);
    await clock.settle();
    // Only the reason has changed.
    expect(takeFacts()).toEqual(["mass_removal holds 10 for 300000 ms"]);
    await clock.advance(5_000);
    expect(takeFacts()).toEqual([]);
    failover.reconfigure([primary]);
    await clock.settle();
    expect(takeFacts()).toEqual(["primary: ", "mass_removal ended"]);
    await end();
  });

  test("ends on time while no provider is reachable, and does not keep these members again", async () => {
    // R2.8
    const { clock, primary, backup, failover, takeFacts, end } = await createGuardedFailover({});
    primary.set(nodes("n1"));
    await clock.settle();
    lose(backup);
    primary.refuse();
    primary.fail();
    await clock.settle();
    expect(failover.acceptRemovals()).toBe(false);
    takeFacts();
    await clock.advance(301_000);
    expect(takeFacts()).toContain("mass_removal ended");
    backup.recover();
    primary.recover();
    await clock.advance(60_000);
    expect(takeFacts().findLast((line) => line.startsWith("primary:"))).toBe("primary: n1");
    expect(takeFacts()).toEqual([]);
    await end();
  });

  test("ends when an operator accepts the removal, and keeps members again at the next large removal", async () => {
    const { clock, primary, failover, takeFacts, end } = await createGuardedFailover({});
    expect(failover.acceptRemovals()).toBe(false);
    primary.set(nodes("n1"));
    await clock.settle();
    takeFacts();
    expect(failover.acceptRemovals()).toBe(true);
    expect(failover.acceptRemovals()).toBe(false);
    await clock.settle();
    expect(takeFacts()).toEqual(["primary: n1", "mass_removal ended"]);
    primary.set([]);
    await clock.settle();
    expect(takeFacts()).toEqual(["mass_removal holds 1 for 300000 ms", "primary: (n1)"]);
    await end();
  });

  test("keeps members whose removal dwell has ended while a healthy provider still lists them", async () => {
    // R2.8
    const { clock, failover, takeFacts, end } = await createGuardedFailover({ backup: ["n1"] });
    takeFacts();
    failover.override("backup");
    await clock.settle();
    const kept = TEN.map((id) => (id === "n1" ? id : `(${id})`)).join(" ");
    expect(takeFacts()).toEqual([
      "primary > backup",
      "removal_dwell holds 9 for 10000 ms",
      `backup: ${kept}`,
    ]);
    await clock.advance(10_000);
    expect(takeFacts()).toEqual([
      "mass_removal holds 9 for 300000 ms",
      `backup: ${kept}`,
      "removal_dwell ended",
    ]);
    await end();
  });

  test("keeps no member when it is turned off", async () => {
    const { clock, primary, takeFacts, end } = await createGuardedFailover({
      guards: { massRemoval: false },
    });
    takeFacts();
    primary.set([]);
    await clock.settle();
    expect(takeFacts()).toEqual(["primary: "]);
    await end();
  });

  describe('with `when: "always"`', () => {
    const guards = { massRemoval: { when: "always", share: 0.5, holdMs: 30_000 } } as const;

    test("keeps members without another provider too, and keeps each further large removal for its own time", async () => {
      // R2.8
      const { clock, primary, backup, takeFacts, end } = await createGuardedFailover({ guards });
      lose(backup);
      primary.set(nodes("n8", "n9"));
      await clock.settle();
      takeFacts();
      await clock.advance(15_000);
      primary.set([]);
      await clock.settle();
      expect(takeFacts()).toEqual([`primary: ${ALL_RETAINED}`, "mass_removal holds 10 for 30000 ms"]);
      await clock.advance(15_000);
      expect(takeFacts()).toEqual(["primary: (n8) (n9)", "mass_removal holds 2 for 15000 ms"]);
      await clock.advance(15_000);
      expect(takeFacts()).toEqual(["primary: ", "mass_removal ended"]);
      await end();
    });

    test.each(["before", "after"])(
      "removes a member that a standby had listed and removed %s the active provider",
      async (when) => {
        // R2.8
        const { clock, primary, backup, takeFacts, end } = await createGuardedFailover({ guards });
        takeFacts();
        if (when === "before") backup.set(nodes("n1"));
        await clock.settle();
        primary.set(nodes("n1"));
        await clock.settle();
        backup.set(nodes("n1"));
        await clock.settle();
        expect(takeFacts().at(-1)).toBe(when === "before" ? "primary: n1" : "mass_removal ended");
        await end();
      },
    );

    test.each([
      ["no members", []],
      ["other members", ["pod-a", "pod-b"]],
    ])("keeps all members if the only standby has always listed %s", async (_, backup) => {
      const { clock, primary, takeFacts, end } = await createGuardedFailover({ guards, backup });
      takeFacts();
      primary.set([]);
      await clock.settle();
      expect(takeFacts()).toEqual(["mass_removal holds 10 for 30000 ms", `primary: ${ALL_RETAINED}`]);
      await end();
    });
  });

  test.each([
    [{ share: 0 }, "massRemoval.share"],
    [{ share: 1.1 }, "massRemoval.share"],
    [{ share: Number.NaN }, "massRemoval.share"],
    [{ holdMs: 0 }, "massRemoval.holdMs"],
    [{ holdMs: Number.POSITIVE_INFINITY }, "massRemoval.holdMs"],
  ])("rejects the options %j, naming the one that is wrong", (massRemoval, name) => {
    const options = { providers: [], clock: new VirtualClock(), random: () => 0, guards: { massRemoval } };
    expect(() => new Failover(options)).toThrow(name);
  });
});
