import { diffMembers, MemberSet, type ClusterNode } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { node } from "../../test/scripted-topology.ts";
import { SlowStart } from "./slow-start.ts";

const change = (before: readonly ClusterNode[], after: readonly ClusterNode[]) =>
  diffMembers(MemberSet.from(before), MemberSet.from(after));

describe("SlowStart", () => {
  test("raises the weight of a new member in ten steps", () => {
    const slowStart = new SlowStart({ rampMs: 1_000, initialShare: 0.1 });
    slowStart.apply(change([node("a")], [node("a"), node("b")]), 5_000);
    expect(slowStart.shareOf("a", 5_000)).toBe(1);
    const shares = [];
    let now: number | undefined = 5_000;
    while (now !== undefined) {
      shares.push(slowStart.shareOf("b", now));
      now = slowStart.nextStepAt(now);
    }
    expect(shares).toHaveLength(11);
    for (const [i, share] of shares.entries()) expect(share).toBeCloseTo(0.1 + 0.09 * i, 10);
    expect(slowStart.shareOf("b", 6_000)).toBe(1);
  });

  test("members that join at different times take their steps at the same moments", () => {
    const slowStart = new SlowStart({ rampMs: 1_000 });
    slowStart.apply(change([], [node("a")]), 30);
    slowStart.apply(change([], [node("b")]), 70);
    expect(slowStart.nextStepAt(70)).toBe(100);
    expect(slowStart.nextStepAt(100)).toBe(200);
    expect(slowStart.nextStepAt(1_000)).toBeUndefined();
  });

  test("another address is a new member, another weight is not, and one that leaves is forgotten", () => {
    const slowStart = new SlowStart({ rampMs: 1_000 });
    slowStart.apply(
      change([node("a"), node("b")], [node("a", { host: "other" }), node("b", { weight: 2 })]),
      0,
    );
    expect(slowStart.shareOf("a", 0)).toBe(0.1);
    expect(slowStart.shareOf("b", 0)).toBe(1);
    slowStart.apply(change([node("a")], []), 10);
    expect(slowStart.nextStepAt(10)).toBeUndefined();
  });
});
