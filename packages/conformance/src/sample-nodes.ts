import type { ClusterNodeInput } from "@holdfast/core";

/** Three nodes, in an order that is neither that of their ids nor that of their numbers. */
export const SAMPLE_NODES: readonly ClusterNodeInput[] = [2, 10, 1].map((number) => sampleNode(number));

/** Made of what every backend can hold: a DNS label as id, an IP address as host. */
export function sampleNode(number: number, change: Partial<ClusterNodeInput> = {}): ClusterNodeInput {
  return {
    id: `node-${number}`,
    host: `10.0.0.${number}`,
    port: 7_000 + number,
    zone: "zone-a",
    weight: number,
    tags: ["api", "blue"],
    metadata: { rack: `rack-${number}`, row: "north" },
    ...change,
  };
}

/** Tells contents of the suite apart by what even a faulty provider gets right, so that one fault fails one test. */
export function contentKey(nodes: Iterable<ClusterNodeInput>): string {
  const ids = Array.from(nodes, ({ id, host, port }) => `${id}@${host}:${port}`);
  return ids.length === 0 ? "no nodes" : [...new Set(ids)].sort().join(" ");
}
