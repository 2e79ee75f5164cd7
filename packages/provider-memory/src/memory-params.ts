import type { ClusterNodeInput } from "@holdfast/core";
import { clusterNodeSchema } from "@holdfast/core/adapter";
import * as z from "zod";

/** The `params` of a descriptor of kind `memory`. */
export interface MemoryParams {
  /** The first members, in any order, no id twice. @defaultValue [] */
  readonly members?: readonly ClusterNodeInput[] | undefined;
}

export const memoryParamsSchema: z.ZodType<MemoryParams> = z.strictObject({
  members: z
    .array(clusterNodeSchema)
    .refine((members) => new Set(members.map((member) => member.id)).size === members.length, {
      error: "members with different ids",
    })
    .optional(),
});
