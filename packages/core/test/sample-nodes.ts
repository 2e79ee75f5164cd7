import * as fc from "fast-check";
import { createClusterNode, type ClusterNode, type ClusterNodeInput } from "../src/model/cluster-node.ts";

/** Returns an id that sorts like its number. */
export function idOf(number: number): string {
  return `node-${String(number).padStart(7, "0")}`;
}

/** Creates a new object with the same content for the same arguments, like the next response of a provider. */
export function nodeOf(number: number, version = 0): ClusterNode {
  return createClusterNode({
    id: idOf(number),
    host: `10.0.${number >> 8}.${number & 255}`,
    port: 8_000 + version,
    zone: `zone-${number % 3}`,
    tags: [`role-${number % 5}`],
    metadata: { version: String(version) },
  });
}

/**
 * Few and short texts, so that different fields often have the same value, and different nodes almost the same content.
 */
const text: fc.Arbitrary<string> = fc.constantFrom(
  "",
  "a",
  "b",
  "ab",
  "ba",
  "aa",
  "é",
  "a\u0000",
  "\u{1f600}",
);

/** Nodes with easily colliding content. Not all of them match the schema, which the hash does not require. */
export const nodeInputs: fc.Arbitrary<ClusterNodeInput> = fc.record(
  {
    id: fc.constantFrom("a", "b", "ab"),
    host: text,
    port: fc.integer({ min: 1, max: 3 }),
    zone: text,
    weight: fc.constantFrom(0, 1, 12, 0.5),
    tags: fc.array(text, { maxLength: 3 }),
    metadata: fc.dictionary(text, text, { maxKeys: 2 }),
  },
  { requiredKeys: ["id", "host", "port"] },
);

/** A canonical text of the content of a node. */
export function canonical(node: ClusterNode): string {
  const metadata = Object.entries(node.metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  const { id, host, port, zone, weight, tags } = node;
  return JSON.stringify([id, host, port, zone ?? null, weight ?? null, tags, metadata]);
}
