import type { ClusterNodeInput } from "@holdfast/core";
import { clusterNodeSchema } from "@holdfast/core/adapter";
import * as z from "zod";

/** What stands in a topology file. */
export interface TopologyFile {
  /** For editors: where the JSON Schema of this file is. */
  readonly $schema?: string | undefined;
  readonly version?: 1 | undefined;
  /** Every member of the cluster, in any order. */
  readonly members: readonly ClusterNodeInput[];
}

/** The form of a topology file, for tools: `z.toJSONSchema` makes a schema of it that editors complete from. */
export const topologyFileSchema: z.ZodType<TopologyFile> = topologyObject(clusterNodeSchema);

/** The same around members that are not looked at yet: they are checked one by one, with a compiled schema. */
export const topologyEnvelopeSchema: z.ZodType<{ readonly members: readonly unknown[] }> = topologyObject(
  z.unknown(),
);

function topologyObject<T>(
  member: z.ZodType<T>,
): z.ZodType<Omit<TopologyFile, "members"> & { members: T[] }> {
  return z.strictObject({
    $schema: z.string().optional().describe("Where the JSON Schema of this file is, for editors."),
    version: z.literal(1).optional().describe("The version of this format."),
    members: z.array(member).describe("Every member of the cluster, in any order."),
  });
}
