import type { ClusterNode } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodes } from "../../test/scripted-topology.ts";
import type { Candidates } from "./candidates.ts";
import { selectEndpoints, type SelectionInput } from "./select-endpoints.ts";

type Out = "ejected" | "probing";

const candidatesOf = (all: readonly ClusterNode[], fields: Partial<Candidates> = {}): Candidates => ({
  nodes: all,
  blocked: 0,
  drained: 0,
  retained: 0,
  isUsingRetained: false,
  share: 1,
  ...fields,
});

const outsOf = (outs: Readonly<Record<number, Out>>): ReadonlyMap<string, Out> =>
  new Map(Object.entries(outs).map(([i, out]) => [`n-${i.padStart(4, "0")}`, out]));

function select(all: readonly ClusterNode[], input: Partial<SelectionInput> = {}) {
  return selectEndpoints({
    candidates: candidatesOf(all),
    subset: all,
    retained: [],
    outs: new Map(),
    panicShare: 0.5,
    previous: [],
    ...input,
  });
}

describe("selectEndpoints", () => {
  test("leaves out ejected members, and keeps probed ones", () => {
    const selection = select(nodes(4), { outs: outsOf({ 0: "ejected", 2: "probing" }) });
    expect(selection.endpoints.map(({ node, standing }) => [node.id, standing])).toEqual([
      ["n-0001", "healthy"],
      ["n-0002", "probing"],
      ["n-0003", "healthy"],
    ]);
    expect(selection).toMatchObject({ isPanicking: false, ejected: 1 });
  });

  test.each<[string, panicShare: number, candidateShare: number, ejected: number, isPanicking: boolean]>([
    ["half of them is enough", 0.5, 1, 5, false],
    ["less than half is not", 0.5, 1, 6, true],
    ["members that are blocked count too", 0.5, 0.6, 2, true],
    ["and without an ejected one there is nothing to add", 0.5, 0.2, 0, false],
    ["0 is never", 0, 1, 9, false],
  ])("panics by share: %s", (_, panicShare, share, ejected, isPanicking) => {
    const all = nodes(10);
    const outs = outsOf(
      Object.fromEntries(Array.from({ length: ejected }, (__, i) => [i, "ejected" as const])),
    );
    const selection = select(all, { candidates: candidatesOf(all, { share }), outs, panicShare });
    expect(selection.isPanicking).toBe(isPanicking);
    expect(selection.endpoints).toHaveLength(isPanicking ? 10 : 10 - ejected);
    expect(selection.endpoints.filter(({ standing }) => standing === "ejected")).toHaveLength(
      isPanicking ? ejected : 0,
    );
  });

  test("marks retained members that are used", () => {
    const all = nodes(2);
    const candidates = candidatesOf(all, { isUsingRetained: true });
    const { endpoints } = select(all, { candidates, retained: ["n-0001"] });
    expect(endpoints.map(({ standing }) => standing)).toEqual(["healthy", "retained"]);
  });

  test("prefers the zone, and counts the members of others", () => {
    const all = nodes(4, (i) => ({ zone: i < 2 ? "a" : "b" }));
    const selection = select(all, { zone: { own: "a" } });
    expect(selection.endpoints.map(({ node, isLocal }) => [node.zone, isLocal])).toEqual([
      ["a", true],
      ["a", true],
    ]);
    expect(selection.otherZone).toBe(2);
  });

  test("keeps endpoints and the array that did not change", () => {
    const all = nodes(3);
    const { endpoints } = select(all);
    expect(select(all, { previous: endpoints }).endpoints).toBe(endpoints);
    const outs = outsOf({ 1: "probing" });
    const changed = select(all, { previous: endpoints, outs }).endpoints;
    expect(changed.map((each, i) => each === endpoints[i])).toEqual([true, false, true]);
    const slower = select(all, {
      previous: endpoints,
      rampOf: (id) => (id === "n-0002" ? 0.5 : 1),
    }).endpoints;
    expect(slower.map(({ weight }) => weight)).toEqual([1, 1, 0.5]);
    expect(slower[0]).toBe(endpoints[0]);
  });

  test("endpoints are sorted, have weights above 0, and there is one if anything may be used", () => {
    const field = fc.record({
      zone: fc.constantFrom("a", "b", undefined),
      weight: fc.constantFrom(undefined, 0.001, 1, 7, 1e300),
      out: fc.constantFrom<(Out | undefined)[]>(undefined, "ejected", "probing"),
    });
    fc.assert(
      fc.property(
        fc.array(field, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(0, 0.3, 0.5, 1),
        fc.boolean(),
        (fields, panicShare, hasZone) => {
          const all = nodes(fields.length, (i) => ({ zone: fields[i]!.zone, weight: fields[i]!.weight }));
          const outs = new Map(
            all.flatMap(({ id }, i) => (fields[i]!.out ? [[id, fields[i]!.out] as const] : [])),
          );
          const zone = hasZone ? { own: "a" } : undefined;
          const { endpoints, ejected, otherZone, isPanicking } = select(all, { outs, panicShare, zone });
          const ids = endpoints.map(({ node }) => node.id);
          expect(ids).toEqual([...ids].sort());
          expect(endpoints.every(({ weight }) => weight > 0 && weight < Infinity)).toBe(true);
          expect(ids.length + ejected + otherZone).toBe(all.length);
          const healthy = all.filter(({ id }) => outs.get(id) !== "ejected").length;
          if (healthy > 0 || panicShare > 0) expect(ids.length).toBeGreaterThan(0);
          if (!isPanicking) expect(endpoints.every(({ standing }) => standing !== "ejected")).toBe(true);
        },
      ),
    );
  });
});
