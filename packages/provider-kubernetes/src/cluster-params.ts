import { secretReferenceSchema, type SecretReference, type WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";

/** The parameters that providers and discoveries have in common: the cluster, the namespaces, and how requests are sent. */
export interface ClusterParams {
  /** The namespace. Cannot be combined with `allNamespaces`. @defaultValue the namespace of the credentials' context or of the pod, else "default" */
  readonly namespace?: string | undefined;
  /** Watches all namespaces. The ids of members are then `NAMESPACE/POD`. @defaultValue false */
  readonly allNamespaces?: boolean | undefined;
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
  /** The number of objects in one page of a list. @defaultValue 50 */
  readonly pageSize?: number | undefined;
  /** The maximum duration of one watch request, in milliseconds. @defaultValue 300000 */
  readonly watchTimeoutMs?: number | undefined;
  /**
   * The maximum size of a page of a list and of a line of a watch, in bytes. A larger one is an error. @defaultValue
   * 67108864
   */
  readonly maxBytes?: number | undefined;
}

/** `ClusterParams` with the defaults filled in. */
export type ClusterSettings = WithDefaults<
  ClusterParams,
  "allNamespaces" | "execTimeoutMs" | "pageSize" | "watchTimeoutMs" | "maxBytes"
>;

const MIB = 1_048_576;
const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/;
export const DNS_LABEL: RegExp = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

const file = (description: string): z.ZodOptional<z.ZodString> =>
  z.string().min(1).max(4_096).optional().describe(description);

/** The schemas of the fields of `ClusterParams`. */
export const clusterShape: {
  readonly [K in keyof ClusterParams]-?: z.ZodType<ClusterSettings[K], ClusterParams[K]>;
} = {
  namespace: z
    .string()
    .regex(DNS_LABEL)
    .optional()
    .describe("The namespace. Default: the namespace of the credentials' context, or of the pod."),
  allNamespaces: z
    .boolean()
    .default(false)
    .describe("Watches all namespaces. Cannot be combined with namespace."),
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
  pageSize: z.int().min(1).max(10_000).default(50).describe("The number of objects in one page of a list."),
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
};

/** Reports parameters that cannot be combined. */
export function refuseConflicts(
  params: ClusterSettings,
  refuse: (path: string, message: string) => void,
): void {
  if (params.allNamespaces && params.namespace !== undefined)
    refuse("namespace", "cannot be combined with allNamespaces: true");
  if (params.kubeconfig !== undefined && params.server !== undefined)
    refuse("server", "cannot be combined with kubeconfig");
  if (params.context !== undefined && params.server !== undefined)
    refuse("context", "cannot be combined with server");
  for (const name of ["caFile", "certFile", "keyFile", "serverName", "token"] as const)
    if (params[name] !== undefined && params.server === undefined) refuse(name, `${name} requires server`);
}
