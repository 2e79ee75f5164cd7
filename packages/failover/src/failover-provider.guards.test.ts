import { createSeededRandom, VirtualClock } from "@holdfast/conformance";
import {
  sleep,
  createClusterNode,
  createSnapshot,
  MemberSet,
  ProvisioningError,
  type KnownGood,
  type Availability,
  type ProviderEvent,
} from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import { FailoverProvider } from "./failover-provider.ts";
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
}

async function setUp({
  guards,
  primary: p = TEN,
  backup: b = TEN,
  known,
  maxAgeMs = 60_000,
  isRefusing,
}: SetUp) {
  const clock = new VirtualClock();
  const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: nodes(...p) });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: nodes(...b) });
  if (isRefusing === true) {
    for (const provider of [primary, backup]) {
      lose(provider);
    }
  }
  const providers = [primary, backup];
  const failover = new FailoverProvider({ providers, clock, random: createSeededRandom(1), guards });
  if (known !== undefined) failover.restore({ known, maxAgeMs });
  const stop = new AbortController();
  const events: ProviderEvent[] = [];
  const reading = (async () => {
    for await (const event of failover.watch({ signal: stop.signal })) events.push(event);
  })();
  await clock.settle();
  let availability: Availability | undefined;
  const news = () =>
    events.splice(0).flatMap((event) => {
      if (event.type === "snapshot") {
        const { providerId, members, retained = [] } = event.snapshot;
        const all = [...members].map(({ id }) => (retained.includes(id) ? `(${id})` : id));
        return `${providerId}: ${all.join(" ")}`;
      }
      if (event.type === "provider_changed") return `${event.from} > ${event.to}`;
      if (event.type === "availability_changed") {
        // With the same availability only the reason is new.
        const isNew = event.availability !== availability;
        ({ availability } = event);
        return isNew ? availability : [];
      }
      if (event.type === "guard_changed") {
        const { guard, nodes: count, until } = event.hold;
        if (!event.isHolding) return `${guard} lets go`;
        return `${guard} holds ${count}${until === undefined ? "" : ` for ${until - clock.now()} ms`}`;
      }
      return [];
    });
  const end = async () => {
    stop.abort();
    await reading;
    await failover[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  };
  return { clock, primary, backup, failover, news, events, end };
}

const DAY = [...TEN].join(" ");

describe("the dwell after a switch", () => {
  // R2.5 R3.4 R4.1
  test("says nothing of members when both providers have equal content", async () => {
    const { clock, primary, news, events, end } = await setUp({});
    const [first] = events.flatMap((event) => (event.type === "snapshot" ? event.snapshot : []));
    news();
    primary.end();
    await clock.settle();
    const after = events.flatMap((event) => (event.type === "snapshot" ? event.snapshot : []));
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
    await using failover = new FailoverProvider({ providers, clock, random: createSeededRandom(1) });
    const shown: string[] = [];
    const reading = (async () => {
      for await (const event of failover.watch({ signal: new AbortController().signal })) {
        if (event.type !== "snapshot") continue;
        shown.push([...event.snapshot.members].map(({ id }) => id).join(" "));
      }
    })();
    await clock.settle();
    lose(primary);
    isLate = true;
    await clock.advance(99_000);
    expect(shown.at(-1)).toBe("a b");
    await clock.advance(1_000);
    expect(shown.at(-1)).toBe("b");
    await failover[Symbol.asyncDispose]();
    await reading;
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
  const guards = { massRemoval: { maxShare: 0.5, holdMs: 30_000 } };
  const HALF = TEN.slice(5);

  test("is off unless it is asked for", async () => {
    const { clock, primary, news, end } = await setUp({});
    news();
    primary.set([]);
    await clock.settle();
    expect(news()).toEqual(["primary: "]);
    await end();
  });

  test("lets pass what drops no more than the share", async () => {
    const { clock, primary, news, end } = await setUp({ guards });
    news();
    primary.set(nodes(...HALF));
    await clock.settle();
    expect(news()).toEqual([`primary: ${HALF.join(" ")}`]);
    await end();
  });

  test("holds what drops more, as degraded, until the hold time ends", async () => {
    // R2.4 R4.3
    const { clock, primary, news, events, end } = await setUp({ guards });
    news();
    primary.set([]);
    await clock.settle();
    const reason = events.find((event) => event.type === "availability_changed")?.reason;
    expect(reason).toMatch(/^"primary" dropped 10 of 10 members at once; held/);
    expect(news()).toEqual(["mass_removal holds 10 for 30000 ms", "degraded"]);
    await clock.advance(15_000);
    // A further answer does not prolong it.
    primary.set(nodes("n1"));
    await clock.settle();
    expect(news()).toEqual(["mass_removal holds 9 for 15000 ms"]);
    await clock.advance(14_999);
    expect(news()).toEqual([]);
    await clock.advance(1);
    expect(news()).toEqual(["primary: n1", "mass_removal lets go", "available"]);
    await end();
  });

  test("lets go when the provider lists them again", async () => {
    const { clock, primary, news, end } = await setUp({ guards });
    primary.set([]);
    await clock.settle();
    news();
    primary.set(nodes(...TEN.slice(1)));
    await clock.settle();
    expect(news()).toEqual([`primary: ${TEN.slice(1).join(" ")}`, "mass_removal lets go", "available"]);
    await end();
  });

  test("lets go as soon as another healthy provider agrees, and not before", async () => {
    const { clock, primary, backup, news, end } = await setUp({ guards });
    primary.set(nodes("n1"));
    await clock.settle();
    news();
    backup.set(nodes(...TEN.slice(3)));
    await clock.settle();
    expect(news()).toEqual([]);
    backup.set(nodes("n2"));
    await clock.settle();
    expect(news()).toEqual(["primary: n1", "mass_removal lets go", "available"]);
    await end();
  });

  test("does not begin when another healthy provider has dropped them, too", async () => {
    const { clock, primary, backup, news, end } = await setUp({ guards });
    backup.set(nodes("n1"));
    await clock.settle();
    news();
    primary.set(nodes("n1"));
    await clock.settle();
    expect(news()).toEqual(["primary: n1"]);
    await end();
  });

  test.each([
    ["nobody", []],
    ["others", ["pod-a", "pod-b"]],
  ])("a provider that had always listed %s agrees to nothing", async (_, backup) => {
    const { clock, primary, news, end } = await setUp({ guards, backup });
    news();
    primary.set([]);
    await clock.settle();
    expect(news()).toEqual(["mass_removal holds 10 for 30000 ms", "degraded"]);
    await end();
  });

  test("cannot be accepted while nobody answers, and ends in time; what comes then is judged anew", async () => {
    const { clock, primary, backup, failover, news, end } = await setUp({ guards });
    lose(backup);
    primary.set(nodes("n1"));
    await clock.settle();
    primary.refuse();
    primary.fail();
    await clock.settle();
    expect(failover.acceptRemovals()).toBe(false);
    news();
    await clock.advance(31_000);
    expect(news()).toContain("mass_removal lets go");
    primary.set([]);
    primary.recover();
    await clock.advance(40_000);
    expect(news()).toEqual([expect.stringMatching(/^mass_removal holds 10/), "degraded"]);
    await end();
  });

  test("a provider that is not healthy agrees to nothing", async () => {
    const { clock, primary, backup, news, end } = await setUp({ guards, backup: [] });
    lose(backup);
    await clock.settle();
    news();
    primary.set([]);
    await clock.settle();
    expect(news()).toEqual(["mass_removal holds 10 for 30000 ms", "degraded"]);
    await end();
  });

  test("lets go when an operator accepts it, once", async () => {
    const { clock, primary, failover, news, end } = await setUp({ guards });
    expect(failover.acceptRemovals()).toBe(false);
    primary.set(nodes("n1"));
    await clock.settle();
    news();
    expect(failover.acceptRemovals()).toBe(true);
    expect(failover.acceptRemovals()).toBe(false);
    await clock.settle();
    expect(news()).toEqual(["primary: n1", "mass_removal lets go", "available"]);
    primary.set([]);
    await clock.settle();
    expect(news()).toEqual(["mass_removal holds 1 for 30000 ms", "degraded"]);
    await end();
  });

  test("judges the next provider by what was believed, too", async () => {
    const { clock, primary, backup, news, end } = await setUp({ guards });
    backup.set(nodes("n0", ...HALF));
    await clock.settle();
    primary.set([]);
    await clock.settle();
    expect(news().at(-1)).toBe("degraded");
    lose(primary);
    await clock.settle();
    expect(news()).toEqual([
      "primary > backup",
      "removal_dwell holds 4 for 10000 ms",
      `backup: n0 (n1) (n2) (n3) (n4) ${HALF.join(" ")}`,
      "mass_removal lets go",
      "available",
    ]);
    await end();
  });

  test("what it held was never shown, and is not retained by a switch", async () => {
    const { clock, primary, news, end } = await setUp({ guards });
    primary.set(nodes("x"));
    await clock.settle();
    expect(news().at(-1)).toBe("degraded");
    lose(primary);
    await clock.settle();
    expect(news()).toEqual(["primary > backup", `backup: ${DAY}`, "mass_removal lets go", "available"]);
    await end();
  });

  test("also holds what the dwell lets go", async () => {
    const { clock, primary, news, end } = await setUp({ guards, backup: ["n1"] });
    lose(primary);
    await clock.settle();
    news();
    await clock.advance(10_000);
    expect(news()).toEqual(["mass_removal holds 9 for 30000 ms", "degraded", "removal_dwell lets go"]);
    await clock.advance(30_000);
    expect(news()).toEqual(["backup: n1", "mass_removal lets go", "available"]);
    await end();
  });

  test.each([
    [{ maxShare: 0, holdMs: 1 }, "massRemoval.maxShare"],
    [{ maxShare: 1, holdMs: 1 }, "massRemoval.maxShare"],
    [{ maxShare: Number.NaN, holdMs: 1 }, "massRemoval.maxShare"],
    [{ maxShare: 0.5, holdMs: 0 }, "massRemoval.holdMs"],
    [{ maxShare: 0.5, holdMs: Number.POSITIVE_INFINITY }, "massRemoval.holdMs"],
  ])("%j is refused by name", (massRemoval, name) => {
    const options = { providers: [], clock: new VirtualClock(), random: () => 0, guards: { massRemoval } };
    expect(() => new FailoverProvider(options)).toThrow(name);
  });
});

describe("a fail-over within a fail-over", () => {
  test("that holds is not current to the outer one, whatever heartbeats it sends, and leaves no hold behind", async () => {
    const clock = new VirtualClock();
    const random = createSeededRandom(1);
    const leaf = new MemoryProvider({ id: "leaf", clock, members: nodes(...TEN) });
    const inner = new FailoverProvider({
      providers: [leaf],
      clock,
      random,
      guards: { massRemoval: { maxShare: 0.5, holdMs: 60_000 } },
      descriptor: { id: "inner", kind: "failover", priority: 0, params: {} },
    });
    await using outer = new FailoverProvider({ providers: [inner], clock, random });
    const events: ProviderEvent[] = [];
    const reading = (async () => {
      for await (const event of outer.watch({ signal: new AbortController().signal })) events.push(event);
    })();
    await clock.settle();
    leaf.set([]);
    for (let i = 0; i < 8; i++) {
      await clock.advance(5_000);
      leaf.heartbeat();
    }
    const availability = () =>
      events.findLast((event) => event.type === "availability_changed")?.availability;
    expect(availability()).toBe("degraded");
    await clock.advance(20_000);
    expect(availability()).toBe("available");
    expect(events.filter(({ type }) => type === "guard_changed")).toEqual([]);
    await outer[Symbol.asyncDispose]();
    await reading;
    await inner[Symbol.asyncDispose]();
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

  test("is served as degraded, with its age, while no provider answers; expired it is unavailable", async () => {
    // R5.3
    const { clock, news, events, end } = await setUp({ known: knownOf("primary", ["a"]), isRefusing: true });
    const reason = events.find((event) => event.type === "availability_changed")?.reason;
    expect(reason).toMatch(/last known good snapshot of "primary", confirmed 10 s before this start/);
    expect(news()).toEqual(["last_known_good holds 1 for 50000 ms", "degraded", "primary: a"]);
    await clock.advance(49_999);
    expect(news()).toEqual([]);
    await clock.advance(1);
    expect(news()).toEqual(["unavailable", "last_known_good lets go"]);
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

  test("gives way to another provider's answer after the change of provider was told, without a dwell", async () => {
    // R3.4: nobody is brought back to life from the disk.
    const { news, end } = await setUp({ known: knownOf("backup", ["a"]), primary: ["n1"] });
    expect(news().slice(3)).toEqual([
      "backup > primary",
      "primary: n1",
      "last_known_good lets go",
      "available",
    ]);
    await end();
  });

  test("is what a mass removal is measured by", async () => {
    const guards = { massRemoval: { maxShare: 0.5, holdMs: 30_000 } };
    const { clock, news, end } = await setUp({
      guards,
      known: knownOf("primary", TEN),
      primary: [],
      backup: TEN,
    });
    expect(news()).toEqual([
      "last_known_good holds 10 for 50000 ms",
      "degraded",
      `primary: ${DAY}`,
      "mass_removal holds 10 for 30000 ms",
      "last_known_good lets go",
    ]);
    await clock.advance(30_000);
    expect(news()).toEqual(["primary: ", "mass_removal lets go", "available"]);
    await end();
  });

  test("is held by no mass removal beyond its time", async () => {
    const guards = { massRemoval: { maxShare: 0.5, holdMs: 300_000 } };
    const { clock, news, end } = await setUp({
      guards,
      known: knownOf("primary", TEN),
      primary: [],
      backup: TEN,
    });
    news();
    await clock.advance(50_000);
    expect(news()).toEqual(["primary: ", "mass_removal lets go", "available"]);
    await end();
  });

  test.each([
    ["too old", 60_000, "60 s ago"],
    ["from the future", -61_000, "in the future"],
    ["without a time", Number.NaN, "NaN"],
  ])("that is %s is refused", (_, ageMs, words) => {
    const clock = new VirtualClock();
    const failover = new FailoverProvider({ providers: [], clock, random: () => 0 });
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
