import type { ClusterNodeInput } from "@holdfast/core";

/** Three nodes, sorted neither by id nor by number. */
export const SAMPLE_NODES: readonly ClusterNodeInput[] = [2, 10, 1].map((number) => sampleNode(number));

/** A node with values that every backend can store: a DNS label as id, an IP address as host. */
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

/**
 * Identifies a content by fields that even a faulty provider reports correctly, so that each fault fails only its test.
 */
export function contentKey(nodes: Iterable<ClusterNodeInput>): string {
  const ids = Array.from(nodes, ({ id, host, port }) => `${id}@${host}:${port}`);
  return ids.length === 0 ? "no nodes" : [...new Set(ids)].sort().join(" ");
}
