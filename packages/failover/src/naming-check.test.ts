import { createClusterNode, createSnapshot, MemberSet, type ProvisioningError } from "@holdfast/core";
import { expect, test } from "vitest";
import { NamingCheck } from "./naming-check.ts";

/** Members at 10.0.0.0, 10.0.0.1, ... with these ids. */
const snapshotOf = (providerId: string, ...ids: readonly string[]) =>
  createSnapshot({
    providerId,
    observedAt: 0,
    members: MemberSet.from(ids.map((id, i) => createClusterNode({ id, host: `10.0.0.${i}`, port: 80 }))),
  });

function setUp() {
  const warnings: ProvisioningError[] = [];
  const check = new NamingCheck((warning) => warnings.push(warning));
  const compare = (a: ReturnType<typeof snapshotOf>, b: ReturnType<typeof snapshotOf>) =>
    check.compare(a.providerId, a, new Map([[b.providerId, b]]));
  return { check, compare, warnings };
}

test("warns once for a pair of providers that give the same addresses different ids", () => {
  const { compare, warnings } = setUp();
  const p = snapshotOf("p", "web-1", "web-2");
  const q = snapshotOf("q", "10-0-0-0", "10-0-0-1");
  compare(p, q);
  compare(q, p);
  compare(p, q);
  expect(warnings).toMatchObject([
    {
      code: "TOPOLOGY_IDS_DIFFER",
      details: { providers: ["p", "q"], address: "10.0.0.0:80", ids: ["web-1", "10-0-0-0"] },
    },
  ]);
});

test("does not warn while at least as many members have equal ids as different ones", () => {
  const { compare, warnings } = setUp();
  compare(snapshotOf("p", "a", "b", "c", "d"), snapshotOf("q", "a", "b", "x", "y"));
  expect(warnings).toEqual([]);
});

test("compares a pair later when one of the two has no member yet", () => {
  const { compare, warnings } = setUp();
  const p = snapshotOf("p", "a");
  compare(p, snapshotOf("q"));
  compare(snapshotOf("p"), snapshotOf("q", "b"));
  expect(warnings).toEqual([]);
  compare(p, snapshotOf("q", "b"));
  expect(warnings).toHaveLength(1);
});

test("compares the pairs of a provider again after `forget`, and no other pairs", () => {
  const { check, compare, warnings } = setUp();
  const [p, q, r] = [snapshotOf("p", "a"), snapshotOf("q", "b"), snapshotOf("r", "c")];
  const compareAll = () => {
    compare(p, q);
    compare(p, r);
  };
  compareAll();
  expect(warnings).toHaveLength(2);
  check.forget("q");
  compareAll();
  expect(warnings.map(({ details }) => details["providers"])).toEqual([
    ["p", "q"],
    ["p", "r"],
    ["p", "q"],
  ]);
});
