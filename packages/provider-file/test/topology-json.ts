import type { ClusterNodeInput } from "@holdfast/core";

export function toJson(members: readonly ClusterNodeInput[]): string {
  return JSON.stringify({ version: 1, members });
}

/** Returns nodes `node-0`, `node-1` and so on, with the given ports. */
export function nodesWithPorts(...ports: readonly number[]): readonly ClusterNodeInput[] {
  return ports.map((port, index) => ({ id: `node-${index}`, host: "10.0.0.1", port }));
}
