import { expect, test } from "vitest";
import { LeaseMap } from "./lease-map.ts";

test("users of a key share a value, which is removed with the last of them", () => {
  const removed: number[] = [];
  let created = 0;
  const map = new LeaseMap<number>((value) => removed.push(value));
  const lease = (key: string) => map.lease(key, () => ++created);
  const [first, second, other] = [lease("a"), lease("a"), lease("b")];
  expect([first.value, second.value, other.value]).toEqual([1, 1, 2]);
  expect([map.size, map.countUsers("a"), map.countUsers("c")]).toEqual([2, 2, 0]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  expect([removed, map.countUsers("a")]).toEqual([[], 1]);
  second[Symbol.dispose]();
  expect([removed, map.size]).toEqual([[1], 1]);
  expect(lease("a").value).toBe(3);
  second[Symbol.dispose]();
  expect(map.countUsers("a")).toBe(1);
});
