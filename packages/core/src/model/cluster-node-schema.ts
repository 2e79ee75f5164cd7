import * as z from "zod";
import type { ClusterNodeInput } from "./cluster-node.ts";
import { HOST_PATTERN } from "./host-pattern.ts";
import { NODE_LIMITS } from "./node-limits.ts";

/** The only schema of a node read from outside. Unknown fields are refused, because they are usually typing errors. */
export const clusterNodeSchema: z.ZodType<ClusterNodeInput> = z.strictObject({
  id: z.string().min(1).max(NODE_LIMITS.id),
  host: z.string().max(NODE_LIMITS.host).regex(HOST_PATTERN, "an IP address or a DNS name"),
  port: z.int().min(1).max(65_535),
  zone: z.string().min(1).max(NODE_LIMITS.zone).optional(),
  weight: z.number().min(0).optional(),
  tags: z.array(z.string().max(NODE_LIMITS.tag)).max(NODE_LIMITS.tags).optional(),
  metadata: z
    .record(z.string().max(NODE_LIMITS.metadataKey), z.string().max(NODE_LIMITS.metadataValue))
    .optional(),
});
