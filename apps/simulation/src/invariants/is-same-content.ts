import type { MemberSet } from "@holdfast/core";

/** By value, whoever said it. */
export function isSameContent(a: MemberSet, b: MemberSet): boolean {
  return a.size === b.size && a.sum.high === b.sum.high && a.sum.low === b.sum.low;
}
