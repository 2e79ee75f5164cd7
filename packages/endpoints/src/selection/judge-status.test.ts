import { createSnapshot, MemberSet, TOPOLOGY_STATUSES, type TopologyStatus } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { nodes } from "../../test/scripted-topology.ts";
import { judgeStatus, type StatusInput } from "./judge-status.ts";
import { STATUS_EFFECTS, withOverrides } from "./status-effects.ts";

const snapshotOf = (members: number) =>
  createSnapshot({ providerId: "p", members: MemberSet.from(nodes(members)), observedAt: 0 });

interface Case extends Partial<Omit<StatusInput, "topology">> {
  readonly members?: number | undefined;
}

function judge(status: TopologyStatus, { members, ...input }: Case = {}) {
  return judgeStatus({
    topology: {
      status,
      statusReason: "a test",
      snapshot: members === undefined ? undefined : snapshotOf(members),
    },
    effects: STATUS_EFFECTS,
    isKeepOver: false,
    endpoints: members ?? 0,
    noneLeft: "none left",
    ...input,
  });
}

/** R8.1: what callers do in each status; the same table is in the README. */
const TABLE: readonly [TopologyStatus, Case, newCalls: string, connections: string, code?: string][] = [
  ["starting", {}, "wait", "keep", "TOPOLOGY_NO_SNAPSHOT"],
  ["ready", { members: 2 }, "use", "keep"],
  ["ready", { members: 2, endpoints: 0 }, "refuse", "keep", "TOPOLOGY_NO_ENDPOINT"],
  ["degraded", { members: 2 }, "use", "keep"],
  ["degraded", { members: 2, endpoints: 0 }, "refuse", "keep", "TOPOLOGY_NO_ENDPOINT"],
  ["empty", { members: 0 }, "refuse", "keep", "TOPOLOGY_EMPTY"],
  ["unavailable", { members: 2 }, "use", "keep"],
  ["unavailable", { members: 2, isKeepOver: true }, "refuse", "keep", "TOPOLOGY_UNAVAILABLE"],
  ["unavailable", {}, "wait", "keep", "TOPOLOGY_UNAVAILABLE"],
  ["unavailable", { members: 0 }, "wait", "keep", "TOPOLOGY_UNAVAILABLE"],
  ["draining", { members: 2 }, "refuse", "finish", "LIFECYCLE_SHUTTING_DOWN"],
  ["stopped", { members: 2 }, "refuse", "close", "LIFECYCLE_STOPPED"],
];

describe("judgeStatus", () => {
  test.each(TABLE)(
    "%s, %o: new calls %s, connections %s, %s",
    (status, input, newCalls, connections, code) => {
      const verdict = judge(status, input);
      expect(verdict).toMatchObject({ newCalls, connections });
      expect(verdict.refusal?.code).toBe(code);
      expect(verdict.reason).toContain(`the topology is ${status}: a test`);
      // Unusable always has a reason.
      expect(verdict.refusal === undefined).toBe(newCalls === "use");
      if (verdict.refusal !== undefined) expect(verdict.refusal.message).toBe(verdict.reason);
    },
  );

  test("the table covers every status", () => {
    expect(new Set(TABLE.map(([status]) => status))).toEqual(new Set(TOPOLOGY_STATUSES));
  });

  test("says until when the members of an unavailable topology are used", () => {
    const keptUntil = "2026-01-01T00:00:00.000Z";
    expect(judge("unavailable", { members: 1, keptUntil }).reason).toMatch(/are used until 2026-01-01T/);
    expect(judge("unavailable", { members: 1 }).reason).toMatch(/the last known members are used$/);
    expect(judge("unavailable", { members: 1, keptUntil, isKeepOver: true }).reason).toMatch(
      /were used until/,
    );
  });

  test("an override changes one cell", () => {
    const effects = withOverrides({ draining: { newCalls: "use" }, degraded: { newCalls: "wait" } });
    expect(judge("draining", { members: 1, effects })).toMatchObject({
      newCalls: "use",
      connections: "finish",
    });
    expect(judge("degraded", { members: 1, effects })).toMatchObject({
      newCalls: "wait",
      refusal: { code: "TOPOLOGY_NOT_CURRENT" },
    });
    expect(judge("ready", { members: 1, effects }).newCalls).toBe("use");
    // No override makes endpoints.
    const always = withOverrides({ starting: { newCalls: "use" }, empty: { newCalls: "use" } });
    expect(judge("starting", { effects: always })).toMatchObject({ newCalls: "wait" });
    expect(judge("empty", { members: 0, effects: always })).toMatchObject({ newCalls: "refuse" });
  });
});
