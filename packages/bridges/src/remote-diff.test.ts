import { MemberSet } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterStep, listChanges, planNode, type NodeBelief } from "./remote-diff.ts";
import { nodes } from "../test/scripted-hub.ts";

const view = (names: readonly string[], blockedNodes: readonly string[] = []) => ({
  members: MemberSet.from(nodes(...names)),
  blockedNodes,
});
const belief = (name: string | undefined, isBlocked = false): NodeBelief => ({
  node: name === undefined ? undefined : nodes(name)[0],
  isBlocked,
});
const kinds = (...args: Parameters<typeof planNode>) => planNode(...args).steps.map(({ kind }) => kind);

describe("listChanges", () => {
  test("lists each node that joined, left, moved, was blocked or is uncertain once, sorted by id", () => {
    const before = view(["a", "b", "c", "d", "f"], ["b"]);
    const after = view(["b", "c@2", "d", "e", "f"], ["c", "e"]);
    const listed = listChanges(before, after, ["f", "c", "gone"]);
    expect(listed.map(({ id }) => id)).toEqual(["a", "b", "c", "e", "f", "gone"]);
  });

  test("is empty for equal content of any provider, and for changes that do not affect a channel", () => {
    const [a] = nodes("a");
    const reported = { ...a!, port: 7_001 };
    const moved = { members: MemberSet.from([reported]), blockedNodes: [] };
    const tagged = { members: MemberSet.from([{ ...a!, tags: ["new"], weight: 2 }]), blockedNodes: [] };
    expect(listChanges(view(["a"]), view(["a"]), [])).toEqual([]);
    expect(listChanges(view(["a"]), tagged, [])).toEqual([]);
    expect(listChanges(view(["a"]), moved, [])).toEqual([{ id: "a", was: a, is: reported }]);
  });
});

describe("planNode", () => {
  test("turns a move into a leave of the old address, a join of the new one, and the block again", () => {
    const plan = planNode([belief("a", true)], belief("a@2", true), false);
    expect(plan.steps.map(({ kind, node }) => `${kind} ${node.host}`)).toEqual([
      "leave 10.0.0.1",
      "join 10.0.0.2",
      "blocked 10.0.0.2",
    ]);
  });

  test("assumes that a leave removes the block, and puts the last delivered address into the leave", () => {
    expect(kinds([belief("a", true)], belief("a@2"), false)).toEqual(["leave", "join"]);
    const { steps } = planNode([belief("a"), belief(undefined), belief("a@2")], belief("a@3"), false);
    expect(steps[0]).toEqual({ kind: "leave", node: nodes("a@2")[0] });
  });

  test("holds a join back, but not the leave before it, another leave or a block", () => {
    expect(planNode([belief("a")], belief("a@2"), true)).toMatchObject({
      steps: [{ kind: "leave" }],
      isHeld: true,
    });
    expect(planNode([belief(undefined)], belief("a"), true)).toEqual({ steps: [], isHeld: true });
    expect(kinds([belief("a")], belief(undefined), true)).toEqual(["leave"]);
    expect(kinds([belief("a")], belief("a", true), true)).toEqual(["blocked"]);
    expect(kinds([belief("a", true)], belief("a"), true)).toEqual(["unblocked"]);
  });

  test("returns no steps when nothing changed and nothing is uncertain", () => {
    expect(kinds([belief("a", true)], belief("a", true), false)).toEqual([]);
    expect(kinds([belief(undefined)], belief(undefined), false)).toEqual([]);
  });

  test("leads to the wanted state from each of the possible states", () => {
    const anyBelief = fc.oneof(
      fc.constant(belief(undefined)),
      fc
        .tuple(fc.constantFrom("a", "a@2", "a@3"), fc.boolean())
        .map(([name, blocked]) => belief(name, blocked)),
    );
    fc.assert(
      fc.property(
        fc.array(anyBelief, { minLength: 1 }),
        anyBelief,
        fc.boolean(),
        (beliefs, wanted, holds) => {
          const { steps, isHeld } = planNode(beliefs, wanted, holds);
          expect(isHeld && steps.some(({ kind }) => kind === "join")).toBe(false);
          for (const before of beliefs) {
            const after = steps.reduce(afterStep, before);
            const isThere = isHeld ? after.node === undefined || after.node.host === wanted.node?.host : true;
            expect(isThere).toBe(true);
            if (!isHeld) expect(after).toEqual(wanted);
          }
        },
      ),
    );
  });
});
