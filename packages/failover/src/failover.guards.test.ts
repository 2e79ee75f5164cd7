import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import {
  sleep,
  createClusterNode,
  createSnapshot,
  MemberSet,
  ProvisioningError,
  type KnownGood,
} from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import { UpdateFacts } from "../test/update-facts.ts";
import { Failover } from "./failover.ts";
import type { GuardOptions } from "./guard-policy.ts";

const node = (id: string) => ({ id, host: `${id}.local`, port: 80 });
const nodes = (...ids: string[]) => ids.map(node);
const TEN = ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"];

/** It ends its stream, and cannot be reached again. */
function lose(provider: MemoryProvider): void {
  provider.refuse(new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no"));
  provider.end();
}

interface SetUp {
  readonly guards?: GuardOptions;
  readonly primary?: readonly string[];
  readonly backup?: readonly string[];
  readonly known?: KnownGood;
  readonly maxAgeMs?: number;
  readonly isRefusing?: boolean;
  readonly isHanging?: boolean;
}

async function setUp({
  guards,
  primary: p = TEN,
  backup: b = TEN,
  known,
  maxAgeMs = 60_000,
  isRefusing,
  isHanging,
}: SetUp) {
  const clock = new VirtualClock();
  const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: nodes(...p) });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: nodes(...b) });
  if (isRefusing === true) {
    for (const provider of [primary, backup]) {
      lose(provider);
    }
  }
  if (isHanging === true) for (const provider of [primary, backup]) provider.hang();
  const providers = [primary, backup];
  const failover = new Failover({ providers, clock, random: createSeededRandom(1), guards });
  if (known !== undefined) failover.restore({ known, maxAgeMs });
  const stop = new AbortController();
  const facts = new UpdateFacts();
  const running = failover.run({ signal: stop.signal, onUpdate: facts.onUpdate });
  await clock.settle();
  const news = () =>
    facts.all.splice(0).flatMap((fact) => {
      if (fact.type === "snapshot") {
        const { providerId, members, retained = [] } = fact.snapshot;
        const all = [...members].map(({ id }) => (retained.includes(id) ? `(${id})` : id));
        return `${providerId}: ${all.join(" ")}`;
      }
      if (fact.type === "switched") return `${fact.switched.from} > ${fact.switched.to}`;
      if (fact.type === "availability") return fact.availability;
      if (fact.type === "hold_over") return `${fact.hold.guard} lets go`;
      if (fact.type !== "hold") return [];
      const { guard, nodes: count, until } = fact.hold;
      return `${guard} holds ${count} for ${until - clock.now()} ms`;
    });
  const end = async () => {
    stop.abort();
    await running;
    await failover[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  };
  return { clock, primary, backup, failover, news, facts, end };
}

const DAY = [...TEN].join(" ");

describe("the dwell after a switch", () => {
  // R2.5 R3.4 R4.1
  test("says nothing of members when both providers have equal content", async () => {
    const { clock, primary, news, facts, end } = await setUp({});
    const [first] = facts.all.flatMap((fact) => (fact.type === "snapshot" ? fact.snapshot : []));
    news();
    primary.end();
    await clock.settle();
    const after = facts.all.flatMap((fact) => (fact.type === "snapshot" ? fact.snapshot : []));
    expect(after.map(({ hash, retained }) => [hash, retained])).toEqual([[first?.hash, undefined]]);
    expect(news()).toEqual(["primary > backup", `backup: ${DAY}`]);
    await end();
  });

  test("keeps whom the new provider does not list for the cooldown; whom it adds counts at once", async () => {
    const { clock, primary, news, end } = await setUp({ primary: ["a", "b", "c"], backup: ["b", "x"] });
    news();
    lose(primary);
    await clock.settle();
    expect(news()).toEqual(["primary > backup", "removal_dwell holds 2 for 10000 ms", "backup: (a) b (c) x"]);
    await clock.advance(9_999);
    expect(news()).toEqual([]);
    await clock.advance(1);
    expect(news()).toEqual(["backup: b x", "removal_dwell lets go"]);
    await end();
  });

  test("follows the new provider meanwhile: what it lists is no longer kept, what it takes back leaves", async () => {
    const { clock, primary, backup, news, end } = await setUp({
      primary: ["a", "b", "c"],
      backup: ["b", "x"],
    });
    primary.end();
    await clock.settle();
    news();
    backup.set(nodes("a", "x", "y"));
    await clock.settle();
    expect(news()).toEqual(["backup: a (c) x y", "removal_dwell holds 1 for 10000 ms"]);
    backup.set(nodes("a", "c", "x", "y"));
    await clock.settle();
    expect(news()).toEqual(["backup: a c x y", "removal_dwell lets go"]);
    backup.set(nodes("y"));
    await clock.settle();
    expect(news()).toEqual(["backup: y"]);
    await end();
  });

  test("counts the time in which the new provider is healthy", async () => {
    const { clock, primary, backup, news, end } = await setUp({ primary: ["a", "b"], backup: ["b"] });
    lose(primary);
    await clock.advance(6_000);
    backup.refuse();
    backup.end();
    await clock.advance(20_000);
    expect(news().at(-1)).toBe("unavailable");
    backup.recover();
    while (!news().includes("available")) await clock.advance(1);
    await clock.advance(3_998);
    expect(news()).toEqual([]);
    await clock.advance(2);
    expect(news()).toEqual(["backup: b", "removal_dwell lets go"]);
    await end();
  });

  test("lets go after ten dwells though the new provider never is healthy", async () => {
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
    const shown = () => {
      const last = facts.all.findLast((fact) => fact.type === "snapshot");
      return [...(last?.snapshot.members ?? [])].map(({ id }) => id).join(" ");
    };
    await clock.settle();
    lose(primary);
    isLate = true;
    await clock.advance(99_000);
    expect(shown()).toBe("a b");
    await clock.advance(1_000);
    expect(shown()).toBe("b");
    await failover[Symbol.asyncDispose]();
    await running;
  });

  test("lets a stand-by that knows nobody take over without evicting anybody, and believes it in the end", async () => {
    // R2.4
    const { clock, primary, news, end } = await setUp({ backup: [] });
    news();
    lose(primary);
    await clock.settle();
    const kept = TEN.map((id) => `(${id})`).join(" ");
    expect(news()).toEqual(["primary > backup", "removal_dwell holds 10 for 10000 ms", `backup: ${kept}`]);
    await clock.advance(10_000);
    expect(news()).toEqual(["backup: ", "removal_dwell lets go"]);
    await end();
  });

  test("goes on through a second switch before it is over, and ends with it", async () => {
    const { clock, primary, backup, failover, news, end } = await setUp({
      primary: ["a", "b"],
      backup: ["b"],
    });
    primary.end();
    await clock.settle();
    const third = new MemoryProvider({ id: "third", priority: 0, clock, members: nodes("b", "c") });
    failover.reconfigure([primary, backup, third]);
    await clock.advance(5_000);
    news();
    failover.override("third");
    await clock.settle();
    expect(news()).toEqual([
      "backup > third",
      "removal_dwell holds 1 for 10000 ms",
      "third: (a) b c",
      "removal_dwell lets go",
    ]);
    await clock.advance(10_000);
    expect(news()).toEqual(["third: b c", "removal_dwell lets go"]);
    await end();
  });

  test("can be turned off", async () => {
    const { clock, primary, news, end } = await setUp({ guards: { removalDwellMs: 0 }, backup: ["n1"] });
    news();
    primary.end();
    await clock.settle();
    expect(news()).toEqual(["primary > backup", "backup: n1"]);
    await end();
  });
});

describe("the mass-removal guard", () => {
  const HALF = TEN.slice(5);
  const ALL_KEPT = TEN.map((id) => `(${id})`).join(" ");

  test("keeps, by default, what a healthy standby still lists when half or more leave at once", async () => {
    // R2.8
    const { clock, primary, news, facts, end } = await setUp({});
    news();
    primary.set(nodes(...HALF));
    await clock.settle();
    const kept = TEN.slice(0, 5).map((id) => `(${id})`);
    const hold = facts.all.find((fact) => fact.type === "hold")?.hold;
    expect(hold?.reason).toBe(
      '"primary" dropped 5 of 10 members at once, and "backup" still lists some of them; these are kept until it agrees, for 300000 ms at most',
    );
    expect(news()).toEqual([
      "mass_removal holds 5 for 300000 ms",
      `primary: ${[...kept, ...HALF].join(" ")}`,
    ]);
    await clock.advance(299_999);
    expect(news()).toEqual([]);
    await clock.advance(1);
    expect(news()).toEqual([`primary: ${HALF.join(" ")}`, "mass_removal lets go"]);
    await end();
  });

  test("names the standby that objects now in its reason, not the one that did so first", async () => {
    // R2.8 R5.5
    const { clock, primary, backup, failover, facts, end } = await setUp({});
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
    expect(reason()).toContain('and "third", which is not healthy, listed some of them last');
    await end();
    await third[Symbol.asyncDispose]();
  });

  test("never keeps what is less than half, whatever a standby lists", async () => {
    // R2.8
    const { clock, primary, news, end } = await setUp({});
    news();
    primary.set(nodes(...TEN.slice(4)));
    await clock.settle();
    primary.set(nodes(...TEN.slice(6)));
    await clock.settle();
    expect(news()).toEqual([`primary: ${TEN.slice(4).join(" ")}`, `primary: ${TEN.slice(6).join(" ")}`]);
    await end();
  });

  test("keeps nothing without another healthy provider", async () => {
    // R2.8
    const { clock, primary, backup, news, end } = await setUp({});
    lose(backup);
    await clock.settle();
    news();
    primary.set([]);
    await clock.settle();
    expect(news()).toEqual(["primary: "]);
    await end();
  });

  test("lets pass at once what all healthy providers agree on", async () => {
    // R2.8
    const { clock, primary, backup, news, end } = await setUp({});
    news();
    backup.set(nodes("n0", "n1"));
    primary.set(nodes("n1"));
    await clock.settle();
    // n0 alone is contested.
    expect(news()).toEqual(["mass_removal holds 1 for 300000 ms", "primary: (n0) n1"]);
    backup.set(nodes("n1"));
    await clock.settle();
    expect(news()).toEqual(["primary: n1", "mass_removal lets go"]);
    await end();
  });

  test("delays no member that joins, and no change of one, while it keeps others", async () => {
    // R2.8 R4.3
    const { clock, primary, news, facts, end } = await setUp({});
    primary.set([]);
    await clock.settle();
    news();
    primary.set(nodes("x"));
    await clock.settle();
    expect(news()).toEqual([`primary: ${ALL_KEPT} x`]);
    primary.set([{ ...node("x"), port: 81 }]);
    await clock.settle();
    const last = facts.all.findLast((fact) => fact.type === "snapshot")?.snapshot;
    expect(last?.members.get("x")?.port).toBe(81);
    expect(last?.members.size).toBe(11);
    await end();
  });

  test("a primary that returns without its data evicts no member at failback", async () => {
    // R2.8
    const { clock, primary, news, end } = await setUp({});
    lose(primary);
    await clock.settle();
    news();
    primary.set([]);
    primary.recover();
    await clock.advance(60_000);
    expect(news()).toEqual([
      "backup > primary",
      expect.stringMatching(/^mass_removal holds 10 for 2\d+/),
      `primary: ${ALL_KEPT}`,
    ]);
    primary.set(nodes(...TEN));
    await clock.settle();
    expect(news()).toEqual([`primary: ${DAY}`, "mass_removal lets go"]);
    await end();
  });

  test("a static standby is asked once about nodes that are gone, also after a switch to it and back", async () => {
    // R2.8
    const { clock, primary, news, end } = await setUp({});
    primary.set(nodes("n1"));
    await clock.advance(300_000);
    expect(news().at(-1)).toBe("mass_removal lets go");
    lose(primary);
    await clock.settle();
    expect(news().at(-1)).toBe(`backup: ${DAY}`);
    primary.recover();
    await clock.advance(60_000);
    expect(news()).toEqual(["backup > primary", "primary: n1"]);
    await end();
  });

  test("a standby counts again about a node that the primary listed once more", async () => {
    // R2.8
    const { clock, primary, news, end } = await setUp({});
    primary.set(nodes("n1"));
    await clock.advance(300_000);
    primary.set(nodes(...TEN));
    await clock.settle();
    news();
    primary.set(nodes("n1"));
    await clock.settle();
    expect(news()[0]).toBe("mass_removal holds 9 for 300000 ms");
    await end();
  });

  test("a standby that fails during the hold keeps its objection; one that is removed does not", async () => {
    // R2.8
    const { clock, primary, backup, failover, news, end } = await setUp({});
    primary.set([]);
    await clock.settle();
    news();
    lose(backup);
    await clock.settle();
    // Only the reason is new.
    expect(news()).toEqual(["mass_removal holds 10 for 300000 ms"]);
    await clock.advance(5_000);
    expect(news()).toEqual([]);
    failover.reconfigure([primary]);
    await clock.settle();
    expect(news()).toEqual(["primary: ", "mass_removal lets go"]);
    await end();
  });

  test("ends in time while no provider answers, and what was over is not held again", async () => {
    // R2.8
    const { clock, primary, backup, failover, news, end } = await setUp({});
    primary.set(nodes("n1"));
    await clock.settle();
    lose(backup);
    primary.refuse();
    primary.fail();
    await clock.settle();
    expect(failover.acceptRemovals()).toBe(false);
    news();
    await clock.advance(301_000);
    expect(news()).toContain("mass_removal lets go");
    backup.recover();
    primary.recover();
    await clock.advance(60_000);
    expect(news().findLast((line) => line.startsWith("primary:"))).toBe("primary: n1");
    expect(news()).toEqual([]);
    await end();
  });

  test("lets go when an operator accepts it, once", async () => {
    const { clock, primary, failover, news, end } = await setUp({});
    expect(failover.acceptRemovals()).toBe(false);
    primary.set(nodes("n1"));
    await clock.settle();
    news();
    expect(failover.acceptRemovals()).toBe(true);
    expect(failover.acceptRemovals()).toBe(false);
    await clock.settle();
    expect(news()).toEqual(["primary: n1", "mass_removal lets go"]);
    primary.set([]);
    await clock.settle();
    expect(news()).toEqual(["mass_removal holds 1 for 300000 ms", "primary: (n1)"]);
    await end();
  });

  test("goes on with what a switch's dwell lets go while a healthy provider lists it", async () => {
    // R2.8
    const { clock, failover, news, end } = await setUp({ backup: ["n1"] });
    news();
    failover.override("backup");
    await clock.settle();
    const kept = TEN.map((id) => (id === "n1" ? id : `(${id})`)).join(" ");
    expect(news()).toEqual(["primary > backup", "removal_dwell holds 9 for 10000 ms", `backup: ${kept}`]);
    await clock.advance(10_000);
    expect(news()).toEqual([
      "mass_removal holds 9 for 300000 ms",
      `backup: ${kept}`,
      "removal_dwell lets go",
    ]);
    await end();
  });

  test("can be turned off", async () => {
    const { clock, primary, news, end } = await setUp({ guards: { massRemoval: false } });
    news();
    primary.set([]);
    await clock.settle();
    expect(news()).toEqual(["primary: "]);
    await end();
  });

  describe("when it is always to hold", () => {
    const guards = { massRemoval: { when: "always", share: 0.5, holdMs: 30_000 } } as const;

    test("keeps what leaves also without another provider, and further drops have their own time", async () => {
      // R2.8
      const { clock, primary, backup, news, end } = await setUp({ guards });
      lose(backup);
      primary.set(nodes("n8", "n9"));
      await clock.settle();
      news();
      await clock.advance(15_000);
      primary.set([]);
      await clock.settle();
      expect(news()).toEqual([`primary: ${ALL_KEPT}`, "mass_removal holds 10 for 30000 ms"]);
      await clock.advance(15_000);
      expect(news()).toEqual(["primary: (n8) (n9)", "mass_removal holds 2 for 15000 ms"]);
      await clock.advance(15_000);
      expect(news()).toEqual(["primary: ", "mass_removal lets go"]);
      await end();
    });

    test.each(["before", "after"])("lets go what a standby had listed and removed %s it", async (when) => {
      // R2.8
      const { clock, primary, backup, news, end } = await setUp({ guards });
      news();
      if (when === "before") backup.set(nodes("n1"));
      await clock.settle();
      primary.set(nodes("n1"));
      await clock.settle();
      backup.set(nodes("n1"));
      await clock.settle();
      expect(news().at(-1)).toBe(when === "before" ? "primary: n1" : "mass_removal lets go");
      await end();
    });

    test.each([
      ["no members", []],
      ["others", ["pod-a", "pod-b"]],
    ])("a provider that had always listed %s agrees to nothing", async (_, backup) => {
      const { clock, primary, news, end } = await setUp({ guards, backup });
      news();
      primary.set([]);
      await clock.settle();
      expect(news()).toEqual(["mass_removal holds 10 for 30000 ms", `primary: ${ALL_KEPT}`]);
      await end();
    });
  });

  test.each([
    [{ share: 0 }, "massRemoval.share"],
    [{ share: 1.1 }, "massRemoval.share"],
    [{ share: Number.NaN }, "massRemoval.share"],
    [{ holdMs: 0 }, "massRemoval.holdMs"],
    [{ holdMs: Number.POSITIVE_INFINITY }, "massRemoval.holdMs"],
  ])("%j is refused by name", (massRemoval, name) => {
    const options = { providers: [], clock: new VirtualClock(), random: () => 0, guards: { massRemoval } };
    expect(() => new Failover(options)).toThrow(name);
  });
});

describe("the last known good snapshot", () => {
  const START = Date.UTC(2026, 0, 1);

  function knownOf(providerId: string, ids: readonly string[], ageMs = 10_000): KnownGood {
    const members = MemberSet.from(ids.map((id) => createClusterNode(node(id))));
    const confirmedAt = START - ageMs;
    return {
      snapshot: createSnapshot({ providerId, members, observedAt: confirmedAt }),
      confirmedAt,
      source: "s",
    };
  }

  test("is served as degraded, with its age, until every provider has been given up; then it is unavailable", async () => {
    // R2.7 R5.3: the same as in a process that was running meanwhile.
    const known = knownOf("primary", ["a"]);
    const { clock, primary, backup, news, facts, end } = await setUp({ known, isHanging: true });
    const reason = facts.all.find((fact) => fact.type === "availability")?.reason;
    expect(reason).toMatch(/last known good snapshot of "primary", confirmed 10 s before this start/);
    expect(news()).toEqual(["last_known_good holds 1 for 50000 ms", "degraded", "primary: a"]);
    await clock.advance(14_999);
    expect(news()).toEqual([]);
    await clock.advance(1);
    expect(news()).toEqual(["unavailable"]);
    await clock.advance(35_000);
    expect(news()).toEqual(["last_known_good lets go"]);
    primary.recover();
    backup.recover();
    await clock.advance(30_000);
    expect(news()).toContain(`primary: ${DAY}`);
    await end();
  });

  test("gives way to the first answer, whatever is left out of it", async () => {
    const { news, end } = await setUp({ known: knownOf("primary", ["a", "n1"]), primary: ["n1", "n2"] });
    expect(news()).toEqual([
      "last_known_good holds 2 for 50000 ms",
      "degraded",
      "primary: a n1",
      "primary: n1 n2",
      "last_known_good lets go",
      "available",
    ]);
    await end();
  });

  test("gives way to another provider's answer without a dwell", async () => {
    // R3.4: nobody is brought back to life from the disk.
    const { news, end } = await setUp({ known: knownOf("backup", ["a", "n1"]), primary: ["n1"] });
    expect(news().slice(3)).toEqual(["primary: n1", "last_known_good lets go", "available"]);
    await end();
  });

  test("is what the first snapshot is compared with: a provider without its data evicts no member", async () => {
    // R2.7 R2.8
    const { clock, news, end } = await setUp({ known: knownOf("primary", TEN), primary: [], backup: TEN });
    const kept = TEN.map((id) => `(${id})`).join(" ");
    expect(news().filter((line) => !line.startsWith("last_known_good"))).toEqual([
      "degraded",
      `primary: ${DAY}`,
      "mass_removal holds 10 for 300000 ms",
      `primary: ${kept}`,
      "available",
      // The standby has delivered, and is named in the reason.
      "mass_removal holds 10 for 300000 ms",
    ]);
    await clock.advance(300_000);
    expect(news()).toEqual(["primary: ", "mass_removal lets go"]);
    await end();
  });

  test("reports which standby objects as soon as one has delivered", async () => {
    // R2.8 R5.5
    const { clock, primary, backup, facts, end } = await setUp({
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
    expect(reason()).toEqual([expect.stringContaining("kept until the other providers have answered")]);
    backup.recover();
    await clock.settle();
    expect(reason()).toEqual([
      expect.anything(),
      expect.stringContaining('"backup" still lists some of them'),
    ]);
    await end();
  });

  test("gives way to the first snapshot when no standby can object", async () => {
    // R2.7 R2.8
    const known = knownOf("primary", TEN);
    const { clock, primary, backup, news, end } = await setUp({ known, isRefusing: true });
    backup.hang();
    primary.set([]);
    primary.recover();
    await clock.advance(60_000);
    expect(news()).toContain("primary: ");
    await end();
  });

  test.each([
    ["too old", 60_000, "60 s ago"],
    ["from the future", -61_000, "in the future"],
    ["without a time", Number.NaN, "NaN"],
  ])("that is %s is refused", (_, ageMs, words) => {
    const clock = new VirtualClock();
    const failover = new Failover({ providers: [], clock, random: () => 0 });
    const known = knownOf("primary", ["a"], ageMs);
    expect(() => failover.restore({ known, maxAgeMs: 60_000 })).toThrow(words);
    expect(() => failover.restore({ known, maxAgeMs: 60_000 })).toThrow("STORE_EXPIRED");
  });

  test("is no later watch's content", async () => {
    const { clock, failover, end } = await setUp({ known: knownOf("primary", ["a"]), isRefusing: true });
    await end();
    expect(clock.pendingTimers).toBe(0);
    expect(failover.answers()).toEqual([]);
  });
});
