import { createClusterNode, createSnapshot, MemberSet, sleep } from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { createGuardedFailover, lose, nodes, TEN } from "../test/create-guarded-failover.ts";
import { UpdateFacts } from "../test/update-facts.ts";
import { Failover } from "./failover.ts";

const ALL_LISTED = TEN.join(" ");

describe("the removal dwell after a switch", () => {
  // R2.5 R3.4 R4.1
  test("retains no member when both providers have equal content", async () => {
    const { clock, primary, takeFacts, facts, end } = await createGuardedFailover({});
    const [first] = facts.all.flatMap((fact) => (fact.type === "snapshot" ? fact.snapshot : []));
    takeFacts();
    primary.end();
    await clock.settle();
    const after = facts.all.flatMap((fact) => (fact.type === "snapshot" ? fact.snapshot : []));
    expect(after.map(({ hash, retained }) => [hash, retained])).toEqual([[first?.hash, undefined]]);
    expect(takeFacts()).toEqual(["primary > backup", `backup: ${ALL_LISTED}`]);
    await end();
  });

  test("retains the members that the new provider does not list for one cooldown, and adds its own at once", async () => {
    const { clock, primary, takeFacts, end } = await createGuardedFailover({
      primary: ["a", "b", "c"],
      backup: ["b", "x"],
    });
    takeFacts();
    lose(primary);
    await clock.settle();
    expect(takeFacts()).toEqual([
      "primary > backup",
      "removal_dwell holds 2 for 10000 ms",
      "backup: (a) b (c) x",
    ]);
    await clock.advance(9_999);
    expect(takeFacts()).toEqual([]);
    await clock.advance(1);
    expect(takeFacts()).toEqual(["backup: b x", "removal_dwell ended"]);
    await end();
  });

  test("no longer retains a member that the new provider lists, and removes one at once that it listed and then removed", async () => {
    const { clock, primary, backup, takeFacts, end } = await createGuardedFailover({
      primary: ["a", "b", "c"],
      backup: ["b", "x"],
    });
    primary.end();
    await clock.settle();
    takeFacts();
    backup.set(nodes("a", "x", "y"));
    await clock.settle();
    expect(takeFacts()).toEqual(["backup: a (c) x y", "removal_dwell holds 1 for 10000 ms"]);
    backup.set(nodes("a", "c", "x", "y"));
    await clock.settle();
    expect(takeFacts()).toEqual(["backup: a c x y", "removal_dwell ended"]);
    backup.set(nodes("y"));
    await clock.settle();
    expect(takeFacts()).toEqual(["backup: y"]);
    await end();
  });

  test("counts only the time during which the new provider is healthy", async () => {
    const { clock, primary, backup, takeFacts, end } = await createGuardedFailover({
      primary: ["a", "b"],
      backup: ["b"],
    });
    lose(primary);
    await clock.advance(6_000);
    backup.refuse();
    backup.end();
    await clock.advance(20_000);
    expect(takeFacts().at(-1)).toBe("unavailable");
    backup.recover();
    while (!takeFacts().includes("available")) await clock.advance(1);
    await clock.advance(3_998);
    expect(takeFacts()).toEqual([]);
    await clock.advance(2);
    expect(takeFacts()).toEqual(["backup: b", "removal_dwell ended"]);
    await end();
  });

  test("ends after ten dwell periods even if the new provider is never healthy", async () => {
    const clock = new VirtualClock();
    const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: nodes("a", "b") });
    const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: nodes("b") });
    const members = MemberSet.from(nodes("b").map(createClusterNode));
    let isLate = false;
    backup.watch = async function* ({ signal }) {
      while (!signal.aborted) {
        const observedAt = clock.now() - (isLate ? 60_000 : 0);
        yield { type: "snapshot", snapshot: createSnapshot({ providerId: "backup", members, observedAt }) };
        await sleep(5_000, { clock, signal }).catch(() => undefined);
      }
    };
    const providers = [primary, backup];
    await using failover = new Failover({ providers, clock, random: createSeededRandom(1) });
    const facts = new UpdateFacts();
    const running = failover.run({ signal: new AbortController().signal, onUpdate: facts.onUpdate });
    const memberIds = () => {
      const last = facts.all.findLast((fact) => fact.type === "snapshot");
      return [...(last?.snapshot.members ?? [])].map(({ id }) => id).join(" ");
    };
    await clock.settle();
    lose(primary);
    isLate = true;
    await clock.advance(99_000);
    expect(memberIds()).toBe("a b");
    await clock.advance(1_000);
    expect(memberIds()).toBe("b");
    await failover[Symbol.asyncDispose]();
    await running;
  });

  test("retains all members when a standby without members takes over, and removes them after the dwell", async () => {
    // R2.4
    const { clock, primary, takeFacts, end } = await createGuardedFailover({ backup: [] });
    takeFacts();
    lose(primary);
    await clock.settle();
    const kept = TEN.map((id) => `(${id})`).join(" ");
    expect(takeFacts()).toEqual([
      "primary > backup",
      "removal_dwell holds 10 for 10000 ms",
      `backup: ${kept}`,
    ]);
    await clock.advance(10_000);
    expect(takeFacts()).toEqual(["backup: ", "removal_dwell ended"]);
    await end();
  });

  test("retains the same members through a second switch, and starts again with it", async () => {
    const { clock, primary, backup, failover, takeFacts, end } = await createGuardedFailover({
      primary: ["a", "b"],
      backup: ["b"],
    });
    primary.end();
    await clock.settle();
    const third = new MemoryProvider({ id: "third", priority: 0, clock, members: nodes("b", "c") });
    failover.reconfigure([primary, backup, third]);
    await clock.advance(5_000);
    takeFacts();
    failover.override("third");
    await clock.settle();
    expect(takeFacts()).toEqual([
      "backup > third",
      "removal_dwell holds 1 for 10000 ms",
      "third: (a) b c",
      "removal_dwell ended",
    ]);
    await clock.advance(10_000);
    expect(takeFacts()).toEqual(["third: b c", "removal_dwell ended"]);
    await end();
  });

  test("retains no member when `removalDwellMs` is 0", async () => {
    const { clock, primary, takeFacts, end } = await createGuardedFailover({
      guards: { removalDwellMs: 0 },
      backup: ["n1"],
    });
    takeFacts();
    primary.end();
    await clock.settle();
    expect(takeFacts()).toEqual(["primary > backup", "backup: n1"]);
    await end();
  });
});
