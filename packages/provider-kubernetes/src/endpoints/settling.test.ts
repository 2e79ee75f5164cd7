import { createClusterNode, type ClusterNode } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { Settling } from "./settling.ts";
import type { SliceChange } from "./slice-set.ts";

const node = (id: string): ClusterNode => createClusterNode({ id, host: id, port: 80 });

function change(parts: {
  readonly upsert?: readonly string[];
  readonly remove?: readonly string[];
  readonly vanished?: readonly string[];
  readonly listed?: readonly string[];
}): SliceChange {
  const { upsert = [], remove = [], vanished = [], listed = [] } = parts;
  return {
    upsert: upsert.map(node),
    remove: [...remove, ...vanished],
    vanished: new Map(vanished.map((id) => [id, id])),
    listed: new Set(listed),
  };
}

// H11
describe("a member that disappears from all slices", () => {
  test("stays until its time is over; one that is not ready is removed at once", () => {
    const settling = new Settling(300);
    expect(settling.admit(change({ remove: ["b"], vanished: ["a"] }), 1_000).remove).toEqual(["b"]);
    expect(settling.nextAt).toBe(1_300);
    expect(settling.takeDue(1_299)).toEqual([]);
    expect(settling.takeDue(1_300)).toEqual(["a"]);
    expect(settling.nextAt).toBeUndefined();
  });

  test("and returns in time is not removed", () => {
    const settling = new Settling(300);
    settling.admit(change({ vanished: ["a"] }), 0);
    expect(settling.admit(change({ upsert: ["a"], listed: ["a"] }), 100)).toMatchObject({
      upsert: [{ id: "a" }],
      remove: [],
    });
    expect([settling.nextAt, settling.takeDue(9_999)]).toEqual([undefined, []]);
  });

  test("and returns as not ready is removed then", () => {
    const settling = new Settling(300);
    settling.admit(change({ vanished: ["a"] }), 0);
    expect(settling.admit(change({ listed: ["a"] }), 100).remove).toEqual(["a"]);
    expect(settling.nextAt).toBeUndefined();
  });

  test("is not kept longer when others disappear after it", () => {
    const settling = new Settling(300);
    settling.admit(change({ vanished: ["a"] }), 0);
    settling.admit(change({ vanished: ["b"] }), 200);
    expect(settling.takeDue(300)).toEqual(["a"]);
    expect(settling.nextAt).toBe(500);
  });

  test("is removed at once with settleMs 0", () => {
    const settling = new Settling(0);
    expect(settling.admit(change({ vanished: ["a"] }), 0).remove).toEqual(["a"]);
    expect(settling.nextAt).toBeUndefined();
  });
});
