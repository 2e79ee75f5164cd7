import * as z from "zod";
import type { WithDefaults } from "@holdfast/core/adapter";
import { clusterShape, refuseConflicts, type ClusterParams } from "../cluster-params.ts";

/** Selects the Services that a discovery finds. */
export interface ServiceDiscoveryParams extends ClusterParams {
  /** A label selector of Services. @defaultValue all Services */
  readonly selector?: string | undefined;
}

/** `ServiceDiscoveryParams` with the defaults filled in. */
export type ServiceDiscoverySettings = WithDefaults<
  ServiceDiscoveryParams,
  "allNamespaces" | "execTimeoutMs" | "pageSize" | "watchTimeoutMs" | "maxBytes"
>;

export const discoveryParamsSchema: z.ZodType<ServiceDiscoverySettings, ServiceDiscoveryParams> = z
  .strictObject({
    selector: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe("A label selector of Services. Default: all Services."),
    ...clusterShape,
  })
  .superRefine((params, context) => {
    refuseConflicts(params, (path, message) => context.addIssue({ code: "custom", path: [path], message }));
  });
