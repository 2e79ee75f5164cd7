import { secretReferenceSchema, type SecretReference, type WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";

/** The parameters in addition to `service` or `selector`. */
export interface KubernetesOptions {
  /**
   * The namespace of the EndpointSlices. Cannot be combined with `allNamespaces`. @defaultValue the namespace of the
   * credentials' context or of the pod, else "default"
   */
  readonly namespace?: string | undefined;
  /** Watches all namespaces. The ids of members are then `NAMESPACE/POD`. @defaultValue false */
  readonly allNamespaces?: boolean | undefined;
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
   * A reference to a kubeconfig. @defaultValue as `kubectl` finds it, else the service account of the pod; none with
   * `server`
   */
  readonly kubeconfig?: SecretReference | undefined;
  /** The context of the kubeconfig. @defaultValue its current context */
  readonly context?: string | undefined;
  /** The API server, `https://host:port`, without a kubeconfig. */
  readonly server?: string | undefined;
  /** A file with trusted certificates in PEM format. Requires `server`. */
  readonly caFile?: string | undefined;
  /** A file with the client certificate in PEM format. Requires `server`. */
  readonly certFile?: string | undefined;
  /** A file with the private key of the client certificate in PEM format. Requires `server`. */
  readonly keyFile?: string | undefined;
  /** The name in the certificate of the server. Requires `server`. @defaultValue the host of `server` */
  readonly serverName?: string | undefined;
  /** A reference to a bearer token, which is read again for every request. Requires `server`. */
  readonly token?: SecretReference | undefined;
  /** The maximum run time of a credential plugin of the kubeconfig, in milliseconds. @defaultValue 10000 */
  readonly execTimeoutMs?: number | undefined;
  /**
   * How long an endpoint stays a member after it has disappeared from all slices, in milliseconds, because it may be
   * moving to another slice. @defaultValue 300
   */
  readonly settleMs?: number | undefined;
  /** The number of EndpointSlices in one page of a list. @defaultValue 50 */
  readonly pageSize?: number | undefined;
  /** The maximum duration of one watch request, in milliseconds. @defaultValue 300000 */
  readonly watchTimeoutMs?: number | undefined;
  /**
   * The maximum size of a page of a list and of a line of a watch, in bytes. A larger one is an error. @defaultValue
   * 67108864
   */
  readonly maxBytes?: number | undefined;
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
      .describe("The Service whose endpoints are the members. Either service or selector is required."),
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
      .describe(
        "The namespace of the EndpointSlices. Default: the namespace of the credentials' context, or of the pod.",
      ),
    allNamespaces: z
      .boolean()
      .default(false)
      .describe("Watches all namespaces. Cannot be combined with namespace."),
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
    kubeconfig: secretReferenceSchema
      .optional()
      .describe(
        "A reference to a kubeconfig. Default: as kubectl finds it, else the service account of the pod.",
      ),
    context: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("The context of the kubeconfig. Default: its current context."),
    server: z
      .string()
      .max(512)
      .regex(ORIGIN)
      .optional()
      .describe("The API server, https://host:port, without a kubeconfig."),
    caFile: file("A file with trusted certificates in PEM format. Requires server."),
    certFile: file("A file with the client certificate in PEM format. Requires server."),
    keyFile: file("A file with the private key of the client certificate in PEM format. Requires server."),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("The name in the certificate of the server, if it differs from the host. Requires server."),
    token: secretReferenceSchema
      .optional()
      .describe("A reference to a bearer token, which is read again for every request. Requires server."),
    execTimeoutMs: z
      .int()
      .min(100)
      .max(300_000)
      .default(10_000)
      .describe("The maximum run time of a credential plugin of the kubeconfig, in milliseconds."),
    settleMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(300)
      .describe(
        "How long an endpoint stays a member after it has disappeared from all slices, in milliseconds, because it may be moving to another slice. 0 removes it at once.",
      ),
    pageSize: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe("The number of EndpointSlices in one page of a list."),
    watchTimeoutMs: z
      .int()
      .min(1_000)
      .max(3_600_000)
      .default(300_000)
      .describe(
        "The maximum duration of one watch request, in milliseconds. The health timeout usually leads to shorter ones.",
      ),
    maxBytes: z
      .int()
      .min(1_024)
      .max(1_024 * MIB)
      .default(64 * MIB)
      .describe(
        "The maximum size of a page of a list and of a line of a watch, in bytes. A larger one is an error.",
      ),
  })
  .superRefine((params, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if ((params.service === undefined) === (params.selector === undefined))
      refuse("service", "exactly one of service and selector is required");
    if (params.allNamespaces && params.namespace !== undefined)
      refuse("namespace", "cannot be combined with allNamespaces: true");
    if (params.kubeconfig !== undefined && params.server !== undefined)
      refuse("server", "cannot be combined with kubeconfig");
    if (params.context !== undefined && params.server !== undefined)
      refuse("context", "cannot be combined with server");
    for (const name of ["caFile", "certFile", "keyFile", "serverName", "token"] as const)
      if (params[name] !== undefined && params.server === undefined) refuse(name, `${name} requires server`);
  });
