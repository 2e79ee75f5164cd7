import { secretReferenceSchema, type SecretReference } from "@holdfast/core/adapter";
import * as z from "zod";

export interface KubernetesProviderParams {
  /** The Service whose endpoints are the members. Either this or `selector`. */
  readonly service?: string | undefined;
  /** A label selector of EndpointSlices. */
  readonly selector?: string | undefined;
  /** Left out: that of the credentials. */
  readonly namespace?: string | undefined;
  readonly allNamespaces: boolean;
  /** The name or number of the port; needed where slices have several. */
  readonly port?: string | number | undefined;
  readonly addressFamily: "any" | "ipv4" | "ipv6";
  /** `serving`: also endpoints that terminate but still serve. */
  readonly conditions: "ready" | "serving";
  /** What names a member: the pod (or other object) behind the endpoint, or its `address:port`. */
  readonly nodeId: "pod" | "address";
  /** The whole kubeconfig, by reference. Left out, without `server`: in-cluster, or else as `kubectl` finds it. */
  readonly kubeconfig?: SecretReference | undefined;
  readonly context?: string | undefined;
  /** `https://host:port`, without a kubeconfig. */
  readonly server?: string | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
  readonly token?: SecretReference | undefined;
  /** Milliseconds that a credential plugin may take. */
  readonly execTimeoutMs: number;
  /** Milliseconds that an endpoint which has vanished from all slices stays, as it may be moving to another slice. */
  readonly settleMs: number;
  /** EndpointSlices a page. */
  readonly pageSize: number;
  /** Milliseconds of one watch request at most. */
  readonly watchTimeoutMs: number;
  /** A longer page, or line of a watch, is refused. */
  readonly maxBytes: number;
}

const MIB = 1_048_576;
const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/;
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

const file = (description: string): z.ZodOptional<z.ZodString> =>
  z.string().min(1).max(4_096).optional().describe(description);

export const kubernetesParamsSchema: z.ZodType<KubernetesProviderParams> = z
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
