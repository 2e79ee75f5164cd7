import { describe, expect, test } from "vitest";
import { findFailureCause, findSlow } from "./ejection-cause.ts";
import { toEjectionSettings } from "./ejection-options.ts";

const settings = toEjectionSettings();
const samples = (...means: readonly number[]) => means.map((meanMs) => ({ meanMs, timed: 20 }));

describe("findFailureCause", () => {
  test.each<[inARow: number, calls: number, failures: number, rule: string | undefined]>([
    [4, 4, 4, undefined],
    [5, 5, 5, "consecutive_failures"],
    [1, 19, 15, undefined],
    [1, 20, 9, undefined],
    [1, 20, 10, "failure_share"],
    [0, 0, 0, undefined],
  ])("%i in a row, %i calls with %i failures: %s", (inARow, calls, failures, rule) => {
    const cause = findFailureCause(inARow, { calls, failures }, settings);
    expect(cause?.rule).toBe(rule);
    if (rule !== undefined) expect(cause!.text).toMatch(/failed/);
  });

  test("each rule can be switched off", () => {
    const off = toEjectionSettings({ consecutiveFailures: false, failureShare: false });
    expect(findFailureCause(1_000, { calls: 1_000, failures: 1_000 }, off)).toBeUndefined();
  });
});

describe("findSlow", () => {
  const latency = toEjectionSettings({ latency: {} }).latency!;
  const slow = (...means: readonly number[]) =>
    findSlow(samples(...means), latency).map(([{ meanMs }]) => meanMs);

  test.each<[string, readonly number[], readonly number[]]>([
    ["too few to compare", [10, 1_000], []],
    ["the slowest first", [10, 12, 14, 500, 900], [900, 500]],
    ["not three times the median", [100, 100, 100, 290], []],
    ["too little above the median", [1, 1, 1, 50], []],
    ["most are slow, so none stands out", [10, 900, 900, 900], []],
  ])("%s", (_, means, expected) => {
    expect(slow(...means)).toEqual(expected);
  });

  test("members with too few calls neither count nor are ejected", () => {
    const few = [...samples(10, 10, 10), { meanMs: 5_000, timed: 19 }];
    expect(findSlow(few, latency)).toEqual([]);
    expect(findSlow([...samples(10, 900), { meanMs: 10, timed: 0 }], latency)).toEqual([]);
    const [first] = findSlow(samples(10, 10, 900), latency);
    expect(first![1].text).toBe("its mean latency is 900 ms, and the median is 10 ms");
  });
});
