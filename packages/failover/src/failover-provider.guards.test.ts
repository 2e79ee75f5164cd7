import { createSeededRandom, VirtualClock } from "@holdfast/conformance";
import {
  createClusterNode,
  createSnapshot,
  MemberSet,
  ProvisioningError,
  type KnownGood,
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
  const news = () =>
    events.splice(0).flatMap((event) => {
      if (event.type === "snapshot") {
        const { providerId, members, retained = [] } = event.snapshot;
        const all = [...members].map(({ id }) => (retained.includes(id) ? `(${id})` : id));
        return `${providerId}: ${all.join(" ")}`;
      }
      if (event.type === "provider_changed") return `${event.from} > ${event.to}`;
      if (event.type === "availability_changed") return event.availability;
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
    expect(news()).toEqual(["removal_dwell lets go", "backup: b x"]);
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
    expect(news()).toEqual(["backup: a (c) x y"]);
    backup.set(nodes("a", "c", "x", "y"));
    await clock.settle();
    expect(news()).toEqual(["removal_dwell lets go", "backup: a c x y"]);
    backup.set(nodes("y"));
    await clock.settle();
    expect(news()).toEqual(["backup: y"]);
    await end();
  });

  test("begins again when the new provider ails", async () => {
    const { clock, primary, backup, news, end } = await setUp({
      guards: { removalDwellMs: 20_000 },
      primary: ["a", "b"],
      backup: ["b"],
    });
    lose(primary);
    await clock.advance(15_000);
    backup.fail();
    await clock.advance(3_000);
    expect(news()).toContain("degraded");
    expect(news().filter((word) => word.startsWith("backup"))).toEqual([]);
    const heardAt = clock.monotonic();
    await clock.advance(16_000);
    expect(news().filter((word) => word === "backup: b")).toEqual([]);
    await clock.advance(20_000 - (clock.monotonic() - heardAt) + 4_000);
    expect(news()).toContain("backup: b");
    await end();
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
    expect(news()).toEqual(["removal_dwell lets go", "backup: "]);
    await end();
  });

  test("does not outlast a second switch: whom the next provider does not list either leaves", async () => {
    const { clock, primary, backup, failover, news, end } = await setUp({
      primary: ["a", "b"],
      backup: ["b"],
    });
    primary.end();
    await clock.settle();
    const third = new MemoryProvider({ id: "third", priority: 0, clock, members: nodes("b", "c") });
    failover.reconfigure([primary, backup, third]);
    await clock.settle();
    news();
    failover.override("third");
    await clock.settle();
    expect(news()).toEqual(["backup > third", "removal_dwell lets go", "third: b c"]);
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
    await clock.advance(14_999);
    expect(news()).toEqual([]);
    await clock.advance(1);
    expect(news()).toEqual(["mass_removal lets go", "primary: n1", "available"]);
    await end();
  });

  test("lets go when the provider lists them again", async () => {
    const { clock, primary, news, end } = await setUp({ guards });
    primary.set([]);
    await clock.settle();
    news();
    primary.set(nodes(...TEN.slice(1)));
    await clock.settle();
    expect(news()).toEqual(["mass_removal lets go", `primary: ${TEN.slice(1).join(" ")}`, "available"]);
    await end();
  });

  test("lets go as soon as another healthy provider agrees, and does not begin when one does already", async () => {
    const { clock, primary, backup, news, end } = await setUp({ guards });
    primary.set(nodes("n1"));
    await clock.settle();
    news();
    backup.set(nodes(...TEN.slice(3)));
    await clock.settle();
    expect(news()).toEqual([]);
    backup.set(nodes("n2"));
    await clock.settle();
    expect(news()).toEqual(["mass_removal lets go", "primary: n1", "available"]);
    primary.set([]);
    backup.set([]);
    await clock.settle();
    expect(news()).toEqual(["primary: "]);
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
    expect(news()).toEqual(["mass_removal lets go", "primary: n1", "available"]);
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
      "mass_removal lets go",
      `backup: n0 ${HALF.join(" ")}`,
      "available",
    ]);
    await end();
  });

  test("also holds what the dwell lets go", async () => {
    const { clock, primary, news, end } = await setUp({ guards, backup: ["n1"] });
    lose(primary);
    await clock.settle();
    news();
    await clock.advance(10_000);
    expect(news()).toEqual(["removal_dwell lets go", "mass_removal holds 9 for 30000 ms", "degraded"]);
    await clock.advance(30_000);
    expect(news()).toEqual(["mass_removal lets go", "backup: n1", "available"]);
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

describe("the last known good snapshot", () => {
  const START = Date.UTC(2026, 0, 1);

  function knownOf(providerId: string, ids: readonly string[], ageMs = 10_000): KnownGood {
    const members = MemberSet.from(ids.map((id) => createClusterNode(node(id))));
    const confirmedAt = START - ageMs;
    return { snapshot: createSnapshot({ providerId, members, observedAt: confirmedAt }), confirmedAt };
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
    expect(news()).toEqual(["last_known_good lets go", "unavailable"]);
    await end();
  });

  test("gives way to the first answer, whatever is left out of it", async () => {
    const { news, end } = await setUp({ known: knownOf("primary", ["a", "n1"]), primary: ["n1", "n2"] });
    expect(news()).toEqual([
      "last_known_good holds 2 for 50000 ms",
      "degraded",
      "primary: a n1",
      "last_known_good lets go",
      "primary: n1 n2",
      "available",
    ]);
    await end();
  });

  test("gives way to another provider's answer after the change of provider was told, without a dwell", async () => {
    // R3.4: nobody is brought back to life from the disk.
    const { news, end } = await setUp({ known: knownOf("backup", ["a"]), primary: ["n1"] });
    expect(news().slice(3)).toEqual([
      "last_known_good lets go",
      "backup > primary",
      "primary: n1",
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
      "last_known_good lets go",
      "mass_removal holds 10 for 30000 ms",
    ]);
    await clock.advance(30_000);
    expect(news()).toEqual(["mass_removal lets go", "primary: ", "available"]);
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
    expect(news()).toEqual(["mass_removal lets go", "primary: ", "available"]);
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
