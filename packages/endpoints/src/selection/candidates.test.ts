import { MemberSet } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { node, nodes } from "../../test/scripted-topology.ts";
import { selectCandidates } from "./candidates.ts";

function select(
  members: readonly ReturnType<typeof node>[],
  parts: { blocked?: readonly string[]; retained?: readonly string[]; panicShare?: number } = {},
) {
  const { blocked = [], retained, panicShare = 0.5 } = parts;
  const view = { members: MemberSet.from(members), blockedNodes: blocked, retained };
  const { nodes: selected, ...rest } = selectCandidates(view, panicShare);
  return { ids: selected.map(({ id }) => id), ...rest };
}

describe("selectCandidates", () => {
  test("leaves out blocked, drained and retained members", () => {
    // R8.1
    const members = [...nodes(6), node("z", { weight: 0 })];
    expect(select(members, { blocked: ["n-0001"], retained: ["n-0003", "n-0004"] })).toEqual({
      ids: ["n-0000", "n-0002", "n-0005"],
      blocked: 1,
      drained: 1,
      retained: 2,
      isUsingRetained: false,
      share: 3 / 6,
    });
  });

  test("uses retained members when too few others are left, but never blocked or drained ones", () => {
    const members = [...nodes(6), node("z", { weight: 0 })];
    const retained = ["n-0002", "n-0003", "n-0004", "n-0005", "z"];
    expect(select(members, { blocked: ["n-0000", "n-0002"], retained })).toMatchObject({
      ids: ["n-0001", "n-0003", "n-0004", "n-0005"],
      isUsingRetained: true,
    });
    expect(select(members, { retained, panicShare: 0 })).toMatchObject({
      ids: ["n-0000", "n-0001"],
      isUsingRetained: false,
    });
  });

  test("uses retained members when nothing else is left", () => {
    const retained = nodes(3).map(({ id }) => id);
    expect(select(nodes(3), { retained })).toMatchObject({ ids: retained, isUsingRetained: true });
  });

  test("a drained member does not count as one that is missing, also when it is blocked", () => {
    const members = [...nodes(4), node("z", { weight: 0 })];
    const retained = ["n-0002", "n-0003"];
    expect(select(members, { blocked: ["z"], retained })).toMatchObject({
      blocked: 0,
      drained: 1,
      isUsingRetained: false,
      share: 0.5,
    });
  });

  test("a weight that is not above 0 drains", () => {
    expect(select([node("a", { weight: -1 }), node("b", { weight: Number.NaN }), node("c")])).toMatchObject({
      ids: ["c"],
      drained: 2,
    });
  });

  test("every member is counted once", () => {
    const anyNode = fc.record({
      weight: fc.constantFrom(0, 1, 5),
      isBlocked: fc.boolean(),
      isRetained: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyNode, { maxLength: 20 }), fc.constantFrom(0, 0.5, 1), (fields, panicShare) => {
        const members = nodes(fields.length, (i) => ({ weight: fields[i]!.weight }));
        const idsWith = (flag: "isBlocked" | "isRetained") =>
          members.filter((_, i) => fields[i]![flag]).map(({ id }) => id);
        const blocked = idsWith("isBlocked");
        const result = select(members, { blocked, retained: idsWith("isRetained"), panicShare });
        const leftOut = result.isUsingRetained ? 0 : result.retained;
        expect(result.ids.length + result.blocked + result.drained + leftOut).toBe(members.length);
        expect(result.ids.some((id) => blocked.includes(id))).toBe(false);
        if (panicShare > 0 && result.ids.length === 0) expect(result.retained).toBe(0);
      }),
    );
  });
});
