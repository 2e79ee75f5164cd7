import type { ClusterNode } from "./cluster-node.ts";

const RUN = 1_024;

/**
 * A stable merge sort by id that yields after about every thousand nodes: sorting 100,000 nodes at once would block the
 * event loop for 100 ms.
 */
export function* sortById(nodes: readonly ClusterNode[]): Generator<void, readonly ClusterNode[]> {
  let from: ClusterNode[] = [];
  for (let i = 0; i < nodes.length; i += RUN) {
    from.push(...nodes.slice(i, i + RUN).sort(compareIds));
    yield;
  }
  for (let width = RUN; width < from.length; width *= 2) {
    const to: ClusterNode[] = [];
    for (let start = 0; start < from.length; start += width * 2) {
      let left = start;
      let right = Math.min(start + width, from.length);
      const leftEnd = right;
      const rightEnd = Math.min(start + width * 2, from.length);
      while (left < leftEnd || right < rightEnd) {
        const takeLeft = right >= rightEnd || (left < leftEnd && from[left]!.id <= from[right]!.id);
        to.push(from[takeLeft ? left++ : right++]!);
        if (to.length % RUN === 0) yield;
      }
    }
    from = to;
  }
  return from;
}

function compareIds(a: ClusterNode, b: ClusterNode): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
