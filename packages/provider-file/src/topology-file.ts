import type { ClusterNodeInput } from "@holdfast/core";
import { clusterNodeSchema } from "@holdfast/core/adapter";
import * as z from "zod";

/** The content of a topology file. */
export interface TopologyFile {
  /** The location of the JSON Schema of this file, for editors. */
  readonly $schema?: string | undefined;
  readonly version?: 1 | undefined;
  /** Every member of the cluster, in any order. */
  readonly members: readonly ClusterNodeInput[];
}

/** The schema of a topology file. `z.toJSONSchema` converts it to a JSON Schema for completion in editors. */
export const topologyFileSchema: z.ZodType<TopologyFile> = topologyObject(clusterNodeSchema);

/** The same schema with unchecked members, which are checked one by one with a compiled schema. */
export const topologyEnvelopeSchema: z.ZodType<{ readonly members: readonly unknown[] }> = topologyObject(
  z.unknown(),
);

function topologyObject<T>(
  member: z.ZodType<T>,
): z.ZodType<Omit<TopologyFile, "members"> & { members: T[] }> {
  return z.strictObject({
    $schema: z.string().optional().describe("The location of the JSON Schema of this file, for editors."),
    version: z.literal(1).optional().describe("The version of this format."),
    members: z.array(member).describe("Every member of the cluster, in any order."),
  });
}
