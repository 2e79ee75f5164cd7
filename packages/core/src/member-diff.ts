import { isSameNode, type ClusterNode } from "./cluster-node.ts";
import type { MemberSet } from "./member-set.ts";

/** A node that stayed but changed. */
export interface NodeUpdate {
  readonly before: ClusterNode;
  readonly after: ClusterNode;
}

/** What it takes to get from one set of members to another; each list sorted by id. */
export interface MemberDelta {
  readonly added: readonly ClusterNode[];
  readonly updated: readonly NodeUpdate[];
  readonly removed: readonly ClusterNode[];
}

/**
 * Compares two versions by content. Chunks and nodes they share are skipped by identity, so between versions of one
 * provider the cost follows the difference; between two providers it is one pass.
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
    if (left === right && i === j && left !== undefined) {
      ai++;
      bi++;
      i = j = 0;
      continue;
    }
    const old = left?.[i];
    const now = right?.[j];
    if (old === now) {
      i++;
      j++;
    } else if (now === undefined || (old !== undefined && old.id < now.id)) {
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
    if (left !== undefined && i === left.length) {
      ai++;
      i = 0;
    }
    if (right !== undefined && j === right.length) {
      bi++;
      j = 0;
    }
  }
  return { added, updated, removed };
}
