import { secretReferenceSchema, type SecretReference, type WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";

/** What `KubernetesParams` may have besides `service` or `selector`. */
export interface KubernetesOptions {
  /** Not with `allNamespaces`. @defaultValue the namespace of the credentials' context or of the pod, else "default" */
  readonly namespace?: string | undefined;
  /** Looks in all namespaces; members are then named `NAMESPACE/POD`. @defaultValue false */
  readonly allNamespaces?: boolean | undefined;
  /** The name or number of the port; needed where slices have several. */
  readonly port?: string | number | undefined;
  /** `any`: where a pod has both, its IPv4 address counts. @defaultValue "any" */
  readonly addressFamily?: "any" | "ipv4" | "ipv6" | undefined;
  /** `serving`: also endpoints that terminate but still serve. @defaultValue "ready" */
  readonly conditions?: "ready" | "serving" | undefined;
  /** What names a member: the pod (or other object) behind the endpoint, or its `address:port`. @defaultValue "pod" */
  readonly nodeId?: "pod" | "address" | undefined;
  /** The whole kubeconfig, by reference. @defaultValue in-cluster, or else as `kubectl` finds it; none with `server` */
  readonly kubeconfig?: SecretReference | undefined;
  /** The context of the kubeconfig to use. @defaultValue its current context */
  readonly context?: string | undefined;
  /** The API server, `https://host:port`, without a kubeconfig. */
  readonly server?: string | undefined;
  /** The certificates to trust, PEM; with `server`. */
  readonly caFile?: string | undefined;
  /** The client's certificate, PEM; with `server`. */
  readonly certFile?: string | undefined;
  /** The private key of the client's certificate, PEM; with `server`. */
  readonly keyFile?: string | undefined;
  /** The name that the server's certificate must have; with `server`. @defaultValue the host of `server` */
  readonly serverName?: string | undefined;
  /** A bearer token by reference, read again for every request; with `server`. */
  readonly token?: SecretReference | undefined;
  /** Milliseconds that a credential plugin of the kubeconfig may take. @defaultValue 10000 */
  readonly execTimeoutMs?: number | undefined;
  /**
   * Milliseconds that an endpoint which has vanished from all slices stays, as it may be moving to another slice.
   * @defaultValue 300
   */
  readonly settleMs?: number | undefined;
  /** EndpointSlices in one page of a list. @defaultValue 50 */
  readonly pageSize?: number | undefined;
  /** Milliseconds of one watch request at most. @defaultValue 300000 */
  readonly watchTimeoutMs?: number | undefined;
  /** A longer page, or line of a watch, is refused. @defaultValue 67108864 */
  readonly maxBytes?: number | undefined;
}

/** The EndpointSlices of one Service. */
interface OfService {
  /** The Service whose endpoints are the members. */
  readonly service: string;
  readonly selector?: undefined;
}

/** The EndpointSlices that have certain labels. */
interface OfSelector {
  /** A label selector of EndpointSlices, instead of `service`. */
  readonly selector: string;
  readonly service?: undefined;
}

/** Whose endpoints a provider reports, and how it asks for them. Either `service` or `selector` is required. */
export type KubernetesParams = KubernetesOptions & (OfService | OfSelector);

/** What the schema takes before it has checked that there is one of `service` and `selector`. */
type UncheckedParams = KubernetesOptions & {
  readonly service?: string | undefined;
  readonly selector?: string | undefined;
};

/** `KubernetesParams` with the defaults filled in. */
export type KubernetesSettings = WithDefaults<
  UncheckedParams,
  | "allNamespaces"
  | "addressFamily"
  | "conditions"
  | "nodeId"
  | "execTimeoutMs"
  | "settleMs"
  | "pageSize"
  | "watchTimeoutMs"
  | "maxBytes"
>;

const MIB = 1_048_576;
const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/;
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

const file = (description: string): z.ZodOptional<z.ZodString> =>
  z.string().min(1).max(4_096).optional().describe(description);

export const kubernetesParamsSchema: z.ZodType<KubernetesSettings, UncheckedParams> = z
  .strictObject({
    service: z
      .string()
      .regex(DNS_LABEL)
      .optional()
      .describe("The Service whose endpoints are the members. Either this or selector."),
    selector: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe("A label selector of EndpointSlices, instead of service."),
    namespace: z
      .string()
      .regex(DNS_LABEL)
      .optional()
      .describe("Left out: the namespace of the credentials' context, or of the pod."),
    allNamespaces: z.boolean().default(false).describe("Look in all namespaces; not with namespace."),
    port: z
      .union([z.int().min(1).max(65_535), z.string().min(1).max(63)])
      .optional()
      .describe("The port's name or number; may be left out where every slice has just one."),
    addressFamily: z
      .enum(["any", "ipv4", "ipv6"])
      .default("any")
      .describe("any: where a pod has both, its IPv4 address counts."),
    conditions: z
      .enum(["ready", "serving"])
      .default("ready")
      .describe("ready: endpoints that are ready. serving: also those that terminate but still serve."),
    nodeId: z
      .enum(["pod", "address"])
      .default("pod")
      .describe("What names a member: the object behind the endpoint, or address:port."),
    kubeconfig: secretReferenceSchema
      .optional()
      .describe("The whole kubeconfig by reference. Left out: in-cluster, or else as kubectl finds it."),
    context: z.string().min(1).max(253).optional().describe("The context of the kubeconfig to use."),
    server: z
      .string()
      .max(512)
      .regex(ORIGIN)
      .optional()
      .describe("The API server, https://host:port, without a kubeconfig."),
    caFile: file("The certificates to trust, PEM; with server."),
    certFile: file("The client's certificate, PEM; with server."),
    keyFile: file("The client's private key, PEM; with server."),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("The name the server's certificate must have, where that is not the host's; with server."),
    token: secretReferenceSchema
      .optional()
      .describe("A bearer token by reference, read again for every request; with server."),
    execTimeoutMs: z
      .int()
      .min(100)
      .max(300_000)
      .default(10_000)
      .describe("How long a credential plugin of the kubeconfig may take. Milliseconds."),
    settleMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(300)
      .describe(
        "How long an endpoint that has vanished from all slices stays, as it may be moving between two of them. 0: not at all. Milliseconds.",
      ),
    pageSize: z.int().min(1).max(10_000).default(50).describe("EndpointSlices a page of a list."),
    watchTimeoutMs: z
      .int()
      .min(1_000)
      .max(3_600_000)
      .default(300_000)
      .describe(
        "How long one watch request lasts at most; health needs shorter ones most often. Milliseconds.",
      ),
    maxBytes: z
      .int()
      .min(1_024)
      .max(1_024 * MIB)
      .default(64 * MIB)
      .describe("A longer page, or line of a watch, is refused."),
  })
  .superRefine((params, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if ((params.service === undefined) === (params.selector === undefined))
      refuse("service", "exactly one of service and selector");
    if (params.allNamespaces && params.namespace !== undefined)
      refuse("namespace", "no namespace beside allNamespaces: true");
    if (params.kubeconfig !== undefined && params.server !== undefined)
      refuse("server", "no server beside a kubeconfig, which names one");
    if (params.context !== undefined && params.server !== undefined)
      refuse("context", "no context beside a server");
    for (const name of ["caFile", "certFile", "keyFile", "serverName", "token"] as const)
      if (params[name] !== undefined && params.server === undefined)
        refuse(name, `${name} only beside a server`);
  });
