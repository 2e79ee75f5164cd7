import type { FoundService } from "@holdfast/core";
import { fuzzRuns } from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ServicePresence, type PresenceHold, type ServiceList } from "./service-presence.ts";

const REMOVE_AFTER_MS = 60_000;
const HOLD_MS = 300_000;
const policy = { removeAfterMs: REMOVE_AFTER_MS, massRemoval: { share: 0.5, holdMs: HOLD_MS } };

const serviceOf = (name: string): FoundService => ({ name });
/** `"a b"` is the list of the services `a` and `b`. */
const listOf = (names: string): ServiceList =>
  new Map(names.split(" ").flatMap((name) => (name === "" ? [] : [[name, serviceOf(name)]])));

type Step =
  /** The source lists these services. */
  | readonly ["list", "A" | "B", string]
  /** The same after a loss of its history. */
  | readonly ["reset", "A" | "B", string]
  | readonly ["alive", "A" | "B"]
  | readonly ["fail", "A" | "B"]
  /** Milliseconds pass. */
  | readonly ["wait", number];

interface Case {
  readonly title: string;
  readonly known?: Readonly<Record<string, string>>;
  readonly orphans?: string;
  readonly sources?: readonly string[];
  readonly massRemoval?: false;
  readonly steps: readonly Step[];
  /** The services that are present at the end. */
  readonly present: string;
  /** The services that a hold keeps at the end. */
  readonly held?: Partial<Record<PresenceHold["kind"], string>>;
}

function run({
  known = {},
  orphans = "",
  sources = ["A", "B"],
  massRemoval,
  steps,
}: Omit<Case, "title" | "present">) {
  const presence = new ServicePresence({
    policy: massRemoval === false ? { ...policy, massRemoval } : policy,
    sources,
    known: new Map(Object.entries(known).map(([key, names]) => [key, listOf(names)])),
    orphans: listOf(orphans),
  });
  let now = 0;
  for (const step of steps) {
    switch (step[0]) {
      case "list":
        presence.listed(step[1], listOf(step[2]), false, now);
        break;
      case "reset":
        presence.listed(step[1], listOf(step[2]), true, now);
        break;
      case "alive":
        presence.alive(step[1], now);
        break;
      case "fail":
        presence.failed(step[1], now);
        break;
      case "wait":
        now += step[1];
        presence.tick(now);
        break;
    }
  }
  return presence;
}

const namesOf = (presence: ServicePresence) => [...presence.services.keys()].sort().join(" ");

const MINUTE: Step = ["wait", REMOVE_AFTER_MS];
const ALMOST: Step = ["wait", REMOVE_AFTER_MS - 1];
const HOLD: Step = ["wait", HOLD_MS];
const LONG: Step = ["wait", 24 * 3_600_000];

// R7.2
const CASES: readonly Case[] = [
  {
    title: "appear at once when any source lists them",
    steps: [
      ["list", "A", "a"],
      ["list", "B", "b"],
    ],
    present: "a b",
  },
  {
    title: "stay for the dwell after the last source has dropped them",
    steps: [["list", "A", "a b c"], ["list", "A", "b c"], ALMOST],
    present: "a b c",
  },
  {
    title: "disappear after the dwell",
    steps: [["list", "A", "a b c"], ["list", "A", "b c"], MINUTE],
    present: "b c",
  },
  {
    title: "stay when they are listed again within the dwell, and get a whole dwell the next time",
    steps: [
      ["list", "A", "a b c"],
      ["list", "A", "b c"],
      ALMOST,
      ["list", "A", "a b c"],
      ["list", "A", "b c"],
      ALMOST,
    ],
    present: "a b c",
  },
  {
    title: "stay while another source lists them",
    steps: [["list", "A", "a b c"], ["list", "B", "a"], ["list", "A", "b c"], LONG],
    present: "a b c",
  },
  {
    title: "disappear a dwell after the last of two sources has dropped them",
    steps: [
      ["list", "A", "a b c"],
      ["list", "B", "a b"],
      ["list", "A", "b c"],
      MINUTE,
      ["list", "B", "b"],
      ALMOST,
    ],
    present: "a b c",
  },
  {
    title: "survive an error, however long it lasts",
    steps: [["list", "A", "a b"], ["fail", "A"], LONG],
    present: "a b",
  },
  {
    title: "that were dropped stay while the source fails, because it may list them again",
    steps: [["list", "A", "a b c"], ["list", "A", "b c"], ["fail", "A"], LONG],
    present: "a b c",
  },
  {
    title: "that were dropped disappear when the source confirms that after its error",
    steps: [["list", "A", "a b c"], ["list", "A", "b c"], ["fail", "A"], LONG, ["list", "A", "b c"]],
    present: "b c",
  },
  {
    title: "that were dropped disappear when the source is alive again after its error",
    steps: [["list", "A", "a b c"], ["list", "A", "b c"], ["fail", "A"], LONG, ["alive", "A"]],
    present: "b c",
  },
  {
    title: "disappear although another source, which never listed them, fails",
    steps: [["list", "A", "a b c"], ["list", "B", "b"], ["fail", "B"], ["list", "A", "b c"], MINUTE],
    present: "b c",
  },
  {
    title: "are kept for longer when half of them are missing at once",
    steps: [
      ["list", "A", "a b c d"],
      ["list", "A", "c d"],
      ["wait", HOLD_MS - 1],
    ],
    present: "a b c d",
    held: { mass_removal: "a b" },
  },
  {
    title: "are kept for longer when they vanish one after the other",
    steps: [
      ["list", "A", "a b c d"],
      ["list", "A", "b c d"],
      ["wait", 1_000],
      ["list", "A", "c d"],
      ["wait", HOLD_MS - 1_001],
    ],
    present: "a b c d",
    held: { mass_removal: "a b" },
  },
  {
    title: "of a mass removal disappear after the hold",
    steps: [["list", "A", "a b c d"], ["list", "A", "c d"], HOLD],
    present: "c d",
  },
  {
    title: "of a mass removal are not held any more once they are listed again",
    steps: [
      ["list", "A", "a b c d"],
      ["list", "A", "c d"],
      ["list", "A", "a b c d"],
      ["list", "A", "b c d"],
      MINUTE,
    ],
    present: "b c d",
  },
  {
    title: "are kept for longer when all are missing",
    steps: [
      ["list", "A", "a"],
      ["list", "A", ""],
      ["wait", HOLD_MS - 1],
    ],
    present: "a",
    held: { mass_removal: "a" },
  },
  {
    title: "disappear after the hold when all are missing",
    steps: [["list", "A", "a"], ["list", "A", ""], HOLD],
    present: "",
  },
  {
    title: "of a mass removal stay while the source fails",
    steps: [["list", "A", "a b"], ["list", "A", ""], ["fail", "A"], LONG],
    present: "a b",
    held: { mass_removal: "a b" },
  },
  {
    title: "one of two is not a mass removal",
    steps: [["list", "A", "a b"], ["list", "A", "b"], MINUTE],
    present: "b",
  },
  {
    title: "without the guard disappear after the dwell, however many",
    massRemoval: false,
    steps: [["list", "A", "a b"], ["reset", "A", ""], MINUTE],
    present: "",
  },
  {
    title: "that a reset lacks are kept for longer, even a single one",
    steps: [
      ["list", "A", "a b c d"],
      ["reset", "A", "b c d"],
      ["wait", HOLD_MS - 1],
    ],
    present: "a b c d",
    held: { reset: "a" },
  },
  {
    title: "that a reset lacks disappear after the hold",
    steps: [["list", "A", "a b c d"], ["reset", "A", "b c d"], ["list", "A", "b c d"], HOLD],
    present: "b c d",
  },
  {
    title: "of a mass removal stay part of it when many others appear",
    steps: [["list", "A", "a b c d"], ["list", "A", "c d"], ["list", "B", "e f g h"], MINUTE],
    present: "a b c d e f g h",
    held: { mass_removal: "a b" },
  },
  {
    title: "that were dropped are not confirmed to be gone by an empty list that is contradicted",
    steps: [
      ["list", "A", "a b c d"],
      ["list", "B", "a"],
      ["list", "A", "a b d"],
      ["list", "A", ""],
      ["alive", "A"],
      LONG,
    ],
    present: "a b c d",
    held: { contradiction: "b d" },
  },
  {
    title: "of an empty list that another source contradicts all stay, without a limit",
    steps: [["list", "A", "a b c"], ["list", "B", "a"], ["list", "A", ""], LONG],
    present: "a b c",
    held: { contradiction: "b c" },
  },
  {
    title: "of an empty list are believed to be gone once no other source contradicts it",
    steps: [["list", "A", "a b c"], ["list", "B", "a"], ["list", "A", ""], LONG, ["list", "B", ""], HOLD],
    present: "",
  },
  {
    title: "of an empty list that is no longer contradicted stay while its source fails",
    steps: [
      ["list", "A", "a b"],
      ["list", "B", "a"],
      ["list", "A", ""],
      ["fail", "A"],
      ["list", "B", ""],
      LONG,
    ],
    present: "a b",
    held: { mass_removal: "a b" },
  },
  {
    title: "of an empty list that is contradicted are listed again",
    steps: [["list", "A", "a b c"], ["list", "B", "a"], ["list", "A", ""], ["list", "A", "b c"], LONG],
    present: "a b c",
  },
  {
    title: "of an empty list that nobody contradicts are a mass removal",
    steps: [["list", "A", "a b"], ["list", "B", "c d e"], ["list", "A", ""], MINUTE],
    present: "c d e",
  },
  {
    title: "of an earlier run are present before any source is",
    known: { A: "a b" },
    steps: [],
    present: "a b",
  },
  {
    title: "of an earlier run stay while their source is down",
    known: { A: "a", B: "b" },
    steps: [["list", "B", "b"], ["fail", "A"], LONG],
    present: "a b",
  },
  {
    title: "of an earlier run disappear like others when their source no longer lists them",
    known: { A: "a b c" },
    steps: [["list", "A", "b c"], MINUTE],
    present: "b c",
  },
  {
    title: "of an earlier configuration stay until all sources have answered",
    orphans: "x",
    steps: [["list", "A", "a b"], ["fail", "B"], LONG],
    present: "a b x",
  },
  {
    title: "of an earlier configuration disappear a dwell after all sources have answered",
    orphans: "x",
    steps: [["list", "A", "a b"], ["list", "B", "b"], MINUTE],
    present: "a b",
  },
];

test.each(CASES)("services $title", ({ present, held = {}, ...options }) => {
  const presence = run(options);
  expect(namesOf(presence)).toBe(present);
  expect(Object.fromEntries(presence.holds.map(({ kind, names }) => [kind, names.join(" ")]))).toEqual(held);
});

describe("wakeAt", () => {
  test("is when the next service disappears, and Infinity while its source fails", () => {
    const steps: Step[] = [
      ["list", "A", "a b c d"],
      ["list", "A", "b c d"],
      ["wait", 1_000],
    ];
    expect(run({ steps }).wakeAt).toBe(REMOVE_AFTER_MS);
    expect(run({ steps: [...steps, ["fail", "A"]] }).wakeAt).toBe(Number.POSITIVE_INFINITY);
    expect(run({ steps: [] }).wakeAt).toBe(Number.POSITIVE_INFINITY);
  });
});

test("the values of a service are those of the first source that lists it, completed by the others", () => {
  const presence = new ServicePresence({ policy, sources: ["A", "B"] });
  presence.listed("B", new Map([["a", { name: "a-in-b", values: { zone: "b", only: "b" } }]]), false, 0);
  expect(presence.services.get("a")).toEqual({ name: "a-in-b", values: { zone: "b", only: "b" } });
  presence.listed("A", new Map([["a", { name: "a-in-a", values: { zone: "a" } }]]), false, 0);
  expect(presence.services.get("a")).toEqual({ name: "a-in-a", values: { zone: "a", only: "b" } });
  presence.listed("A", new Map(), false, 0);
  presence.listed("B", new Map(), false, 0);
  expect(presence.services.get("a")).toEqual({ name: "a-in-a", values: { zone: "a", only: "b" } });
});

// fast-check: what must hold for every history.
const KEYS = ["A", "B", "C"];
const NAMES = ["a", "b", "c", "d", "e"];

type Happening =
  | {
      readonly type: "list";
      readonly key: string;
      readonly names: readonly string[];
      readonly isReset: boolean;
    }
  | { readonly type: "alive" | "fail"; readonly key: string }
  | { readonly type: "wait"; readonly ms: number }
  | { readonly type: "restart" };

const key = fc.constantFrom(...KEYS);
const happenings = fc.array(
  fc.oneof<fc.Arbitrary<Happening>[]>(
    fc.record({ type: fc.constant("list"), key, names: fc.subarray(NAMES), isReset: fc.boolean() }),
    fc.record({ type: fc.constantFrom("alive", "fail"), key }),
    fc.record({ type: fc.constant("wait"), ms: fc.constantFrom(1_000, 30_000, 60_000, 299_000, 300_000) }),
    fc.record({ type: fc.constant("restart") }),
  ),
  { maxLength: 40 },
);

const toList = (names: readonly string[]): ServiceList => listOf(names.join(" "));

/** What a strict observer knows of the sources. */
class Observer {
  readonly lists = new Map<string, ReadonlySet<string>>();
  readonly alive = new Set<string>();
  /** For each name, the sources that have listed it since it appeared. */
  readonly listers = new Map<string, Set<string>>();
  /** Since when no source lists the name. */
  readonly missingSince = new Map<string, number>();

  take(happening: Happening, now: number): void {
    if (happening.type === "list") {
      this.lists.set(happening.key, new Set(happening.names));
      this.alive.add(happening.key);
      for (const name of happening.names) {
        const listers = this.listers.get(name) ?? new Set();
        this.listers.set(name, listers.add(happening.key));
      }
    } else if (happening.type === "fail") this.alive.delete(happening.key);
    else if (happening.type === "alive" && this.lists.has(happening.key)) this.alive.add(happening.key);
    else if (happening.type === "restart") this.#restart();
    for (const name of NAMES) {
      if ([...this.lists.values()].some((list) => list.has(name))) this.missingSince.delete(name);
      else if (!this.missingSince.has(name)) this.missingSince.set(name, now);
    }
  }

  /** Sources that had dropped a service which another one still listed are no longer asked about it. */
  #restart(): void {
    this.alive.clear();
    for (const [name, listers] of this.listers) {
      if (this.missingSince.has(name)) continue;
      for (const lister of listers) if (this.lists.get(lister)?.has(name) !== true) listers.delete(lister);
    }
  }

  mayHaveGone(name: string, now: number): boolean {
    const since = this.missingSince.get(name);
    if (since === undefined || now - since < REMOVE_AFTER_MS) return false;
    return [...(this.listers.get(name) ?? [])].every((lister) => this.alive.has(lister));
  }
}

function replay(
  list: readonly Happening[],
  check: (
    presence: ServicePresence,
    observer: Observer,
    before: ReadonlySet<string>,
    now: number,
    happening: Happening,
  ) => void,
) {
  let presence = new ServicePresence({ policy, sources: KEYS });
  const observer = new Observer();
  let now = 0;
  for (const happening of list) {
    const before = new Set(presence.services.keys());
    if (happening.type === "wait") now += happening.ms;
    observer.take(happening, now);
    switch (happening.type) {
      case "list":
        presence.listed(happening.key, toList(happening.names), happening.isReset, now);
        break;
      case "alive":
        presence.alive(happening.key, now);
        break;
      case "fail":
        presence.failed(happening.key, now);
        break;
      case "wait":
        presence.tick(now);
        break;
      case "restart":
        presence = new ServicePresence({ policy, sources: KEYS, known: presence.lists });
        break;
    }
    check(presence, observer, before, now, happening);
  }
  return { presence, now };
}

// R7.2
describe("for every history", () => {
  test("what any source lists is present, and a service goes only after the dwell, confirmed by all that had listed it", () => {
    fc.assert(
      fc.property(happenings, (list) => {
        replay(list, (presence, observer, before, now) => {
          const after = new Set(presence.services.keys());
          for (const names of observer.lists.values())
            for (const name of names) expect(after).toContain(name);
          for (const name of before) {
            if (after.has(name)) continue;
            expect(observer.mayHaveGone(name, now), name).toBe(true);
            observer.listers.delete(name);
          }
        });
      }),
      { numRuns: fuzzRuns(2_000) },
    );
  });

  test("neither an error, nor silence, nor a restart removes a service", () => {
    fc.assert(
      fc.property(happenings, (list) => {
        replay(list, (presence, _observer, before, _now, { type }) => {
          if (type !== "fail" && type !== "restart") return;
          expect([...presence.services.keys()].sort()).toEqual([...before].sort());
        });
      }),
      { numRuns: fuzzRuns(1_000) },
    );
  });

  test("once all sources agree for long enough, exactly what they list is present", () => {
    fc.assert(
      fc.property(happenings, fc.subarray(NAMES), (list, names) => {
        const { presence, now } = replay(list, () => undefined);
        for (const source of KEYS) presence.listed(source, toList(names), false, now);
        presence.tick(now + HOLD_MS);
        expect(namesOf(presence)).toBe(names.join(" "));
        expect(presence.holds).toEqual([]);
        expect(presence.wakeAt).toBe(Number.POSITIVE_INFINITY);
      }),
      { numRuns: fuzzRuns(1_000) },
    );
  });

  test("`wakeAt` is never in the past, and a `tick` at that time removes something", () => {
    fc.assert(
      fc.property(happenings, (list) => {
        const { presence, now } = replay(list, (current, _observer, _before, at) =>
          expect(current.wakeAt).toBeGreaterThan(at),
        );
        const { wakeAt } = presence;
        const { size } = presence.services;
        if (wakeAt === Number.POSITIVE_INFINITY) return;
        expect(wakeAt).toBeGreaterThan(now);
        presence.tick(wakeAt);
        expect(presence.services.size).toBeLessThan(size);
      }),
      { numRuns: fuzzRuns(1_000) },
    );
  });
});
