import { isSameNode, type ClusterNode } from "./cluster-node.ts";
import type { MemberSet } from "./member-set.ts";

/** A node that is in both sets but changed. */
export interface NodeUpdate {
  readonly before: ClusterNode;
  readonly after: ClusterNode;
}

/** The difference between two sets of members; each list is sorted by id. */
export interface MemberDelta {
  readonly added: readonly ClusterNode[];
  readonly updated: readonly NodeUpdate[];
  readonly removed: readonly ClusterNode[];
}

/**
 * Compares two versions by content. Shared chunks and nodes are skipped by identity, so between versions of one
 * provider the cost depends on the difference; between two providers it is one pass.
 */
export function diffMembers(before: MemberSet, after: MemberSet): MemberDelta {
  const added: ClusterNode[] = [];
  const updated: NodeUpdate[] = [];
  const removed: ClusterNode[] = [];
  if (before === after) return { added, updated, removed };
  const a = before.chunks;
  const b = after.chunks;
  let ai = 0;
  let bi = 0;
  let i = 0;
  let j = 0;
  while (ai < a.length || bi < b.length) {
    const left = a[ai];
    const right = b[bi];
    if (left !== undefined && right !== undefined) {
      if (left === right && i === j) {
        i = j = left.length;
      } else {
        // Usually most nodes of the two versions are the same objects in the same order.
        while (i < left.length && j < right.length && left[i] === right[j]) {
          i++;
          j++;
        }
      }
    }
    const isLeftDone = i === left?.length;
    const isRightDone = j === right?.length;
    if (isLeftDone) {
      ai++;
      i = 0;
    }
    if (isRightDone) {
      bi++;
      j = 0;
    }
    if (isLeftDone || isRightDone) continue;
    const old = left?.[i];
    const now = right?.[j];
    if (now === undefined || (old !== undefined && old.id < now.id)) {
      removed.push(old!);
      i++;
    } else if (old === undefined || now.id < old.id) {
      added.push(now);
      j++;
    } else {
      if (!isSameNode(old, now)) updated.push({ before: old, after: now });
      i++;
      j++;
    }
  }
  return { added, updated, removed };
}
