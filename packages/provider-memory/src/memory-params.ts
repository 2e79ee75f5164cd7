import type { ClusterNodeInput } from "@holdfast/core";
import { clusterNodeSchema } from "@holdfast/core/adapter";
import * as z from "zod";

/** The `params` of a descriptor of kind `memory`. */
export interface MemoryParams {
  /** The initial members, in any order, with unique ids. @defaultValue [] */
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
