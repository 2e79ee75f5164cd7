import type { WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";
import { clusterShape, DNS_LABEL, refuseConflicts, type ClusterParams } from "./cluster-params.ts";

/** The parameters in addition to `service` or `selector`. */
export interface KubernetesOptions extends ClusterParams {
  /**
   * Whether the EndpointSlices of the Service are watched with a watch of their own (`service`), or with one watch of all Services of
   * the namespace, which all providers of the adapter with the same access and namespace share (`namespace`). `auto`: the watch of the
   * namespace if providers of at least four of its Services are open when this one first watches. @defaultValue "auto"
   */
  readonly watch?: "auto" | "service" | "namespace" | undefined;
  /** The name or number of the port; required when slices have several ports. */
  readonly port?: string | number | undefined;
  /**
   * The address family. With `any`, a pod with addresses of both families is reported with its IPv4 address.
   * @defaultValue "any"
   */
  readonly addressFamily?: "any" | "ipv4" | "ipv6" | undefined;
  /**
   * Which endpoints are members. `serving` includes endpoints that are terminating but still serve requests.
   * @defaultValue "ready"
   */
  readonly conditions?: "ready" | "serving" | undefined;
  /**
   * How the id of a member is formed: from the pod (or other object) of the endpoint, or as `address:port`.
   * @defaultValue "pod"
   */
  readonly nodeId?: "pod" | "address" | undefined;
  /**
   * How long an endpoint stays a member after it has disappeared from all slices, in milliseconds, because it may be
   * moving to another slice. @defaultValue 300
   */
  readonly settleMs?: number | undefined;
}

/** Selects the EndpointSlices of one Service. */
interface ByService {
  /** The Service whose endpoints are the members. */
  readonly service: string;
  readonly selector?: undefined;
}

/** Selects EndpointSlices by their labels. */
interface BySelector {
  /** A label selector of EndpointSlices, instead of `service`. */
  readonly selector: string;
  readonly service?: undefined;
}

/** The endpoints that a provider reports, and how it requests them. Either `service` or `selector` is required. */
export type KubernetesParams = KubernetesOptions & (ByService | BySelector);

/** The input of the schema, before the check that exactly one of `service` and `selector` is set. */
type UncheckedParams = KubernetesOptions & {
  readonly service?: string | undefined;
  readonly selector?: string | undefined;
};

/** `KubernetesParams` with the defaults filled in. */
export type KubernetesSettings = WithDefaults<
  UncheckedParams,
  | "allNamespaces"
  | "watch"
  | "addressFamily"
  | "conditions"
  | "nodeId"
  | "execTimeoutMs"
  | "settleMs"
  | "pageSize"
  | "watchTimeoutMs"
  | "maxBytes"
>;

export const kubernetesParamsSchema: z.ZodType<KubernetesSettings, UncheckedParams> = z
  .strictObject({
    service: z
      .string()
      .regex(DNS_LABEL)
      .optional()
      .describe("The Service whose endpoints are the members. Either service or selector is required."),
    selector: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe("A label selector of EndpointSlices, instead of service."),
    ...clusterShape,
    watch: z
      .enum(["auto", "service", "namespace"])
      .default("auto")
      .describe(
        "Whether the Service has a watch of its own (service), or all Services of the namespace share one (namespace). auto: one for the namespace if at least four of its Services are used.",
      ),
    port: z
      .union([z.int().min(1).max(65_535), z.string().min(1).max(63)])
      .optional()
      .describe("The name or number of the port. Required when slices have several ports."),
    addressFamily: z
      .enum(["any", "ipv4", "ipv6"])
      .default("any")
      .describe(
        "The address family. With any, a pod with addresses of both families is reported with its IPv4 address.",
      ),
    conditions: z
      .enum(["ready", "serving"])
      .default("ready")
      .describe(
        "Which endpoints are members. ready: endpoints that are ready. serving: also endpoints that are terminating but still serve requests.",
      ),
    nodeId: z
      .enum(["pod", "address"])
      .default("pod")
      .describe("How the id of a member is formed: from the object of the endpoint, or as address:port."),
    settleMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(300)
      .describe(
        "How long an endpoint stays a member after it has disappeared from all slices, in milliseconds, because it may be moving to another slice. 0 removes it at once.",
      ),
  })
  .superRefine((params, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if ((params.service === undefined) === (params.selector === undefined))
      refuse("service", "exactly one of service and selector is required");
    refuseConflicts(params, refuse);
  });
