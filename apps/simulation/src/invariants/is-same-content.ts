import type { MemberSet } from "@holdfast/core";

/** Compares by value, whichever provider reported it. */
export function isSameContent(a: MemberSet, b: MemberSet): boolean {
  return a.size === b.size && a.sum.high === b.sum.high && a.sum.low === b.sum.low;
}
