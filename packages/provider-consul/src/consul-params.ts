import {
  secretReferenceSchema,
  tlsFilesSchema,
  type SecretReference,
  type TlsFiles,
  type WithDefaults,
} from "@holdfast/core/adapter";
import * as z from "zod";

/** How the id of a member is formed. The README describes each rule. */
export type NodeIdRule = "node-and-service" | "service-id" | "address" | { readonly meta: string };

/** How Consul is reached and asked. Everything has a default. */
export interface AccessParams {
  /**
   * Consul agents or servers, as `http://host:port` or `https://host:port`. They are tried in turn. @defaultValue
   * ["http://127.0.0.1:8500"]
   */
  readonly addresses?: readonly string[] | undefined;
  /** The datacenter to query. @defaultValue the datacenter of the agent */
  readonly datacenter?: string | undefined;
  /** The namespace (Consul Enterprise). */
  readonly namespace?: string | undefined;
  /** The admin partition (Consul Enterprise). */
  readonly partition?: string | undefined;
  /** The consistency mode of Consul, which determines the servers that may respond. @defaultValue "default" */
  readonly consistency?: "default" | "stale" | "consistent" | undefined;
  /**
   * The maximum age of content that is shown as degraded, in milliseconds since the server last had contact with its
   * leader. Older content is an error. `"any"` sets no limit. @defaultValue 600000
   */
  readonly maxStaleMs?: number | "any" | undefined;
  /** A reference to the ACL token, `{ env }` or `{ file }`. It is read again for every request. */
  readonly token?: SecretReference | undefined;
  /** The TLS files for https addresses. */
  readonly tls?: TlsFiles | undefined;
  /** How long a blocking query waits for a change, in milliseconds. @defaultValue 50000 */
  readonly waitMs?: number | undefined;
  /** The shortest time between two queries that returned no change, in milliseconds. @defaultValue 50 */
  readonly minGapMs?: number | undefined;
  /** The maximum size of a response, in bytes. A larger response is an error. @defaultValue 67108864 */
  readonly maxBytes?: number | undefined;
  /**
   * The number of watches that have a blocking query of their own, for all providers that use the same agent. Further
   * watches take turns, see the README. @defaultValue 128
   */
  readonly maxBlockingQueries?: number | undefined;
}

/** The service whose instances a provider reports, and how it requests them. Only `service` is required. */
export interface ConsulParams extends AccessParams {
  /** The service whose instances are the members. */
  readonly service: string;
  /** Only instances that have all of these tags are reported. @defaultValue [] */
  readonly tags?: readonly string[] | undefined;
  /** `passing`: every check of an instance is passing. `warning`: no check is critical. @defaultValue "passing" */
  readonly health?: "passing" | "warning" | undefined;
  /** Sorts the response by the round-trip time from this node; `_agent` for the node of the agent. */
  readonly near?: string | undefined;
  /** A filter expression of Consul's health API. */
  readonly filter?: string | undefined;
  /** The tagged address to use, for example `wan`. @defaultValue the service's own address */
  readonly taggedAddress?: string | undefined;
  /** How the id of a member is formed. @defaultValue "node-and-service" */
  readonly nodeId?: NodeIdRule | undefined;
  /**
   * The metadata key that contains the zone. The metadata of the service takes precedence over that of its node.
   * @defaultValue "zone"
   */
  readonly zoneMeta?: string | undefined;
}

type DefaultedAccess =
  | "addresses"
  | "consistency"
  | "maxStaleMs"
  | "waitMs"
  | "minGapMs"
  | "maxBytes"
  | "maxBlockingQueries";

/** `AccessParams` with the defaults filled in. */
export type AccessSettings = WithDefaults<AccessParams, DefaultedAccess>;

export type Consistency = AccessSettings["consistency"];

/** `ConsulParams` with the defaults filled in. */
export type ConsulSettings = WithDefaults<
  ConsulParams,
  DefaultedAccess | "tags" | "health" | "nodeId" | "zoneMeta"
>;

const MIB = 1_048_576;
const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/?$/;

export const name = (description: string): z.ZodString => z.string().min(1).max(512).describe(description);

/** The schemas of `AccessParams`. */
export const accessShape: {
  readonly [K in keyof AccessSettings]-?: z.ZodType<AccessSettings[K], AccessParams[K]>;
} = {
  addresses: z
    .array(
      z
        .string()
        .max(512)
        .regex(ORIGIN)
        .refine((text) => URL.canParse(text)),
    )
    .min(1)
    .max(16)
    .default(["http://127.0.0.1:8500"])
    .describe("Consul agents or servers as http(s)://host:port, tried in turn."),
  datacenter: name("The datacenter to query. Default: the datacenter of the agent.").optional(),
  namespace: name("The namespace (Consul Enterprise).").optional(),
  partition: name("The admin partition (Consul Enterprise).").optional(),
  consistency: z
    .enum(["default", "stale", "consistent"])
    .default("default")
    .describe("The consistency mode of Consul, which determines the servers that may respond."),
  maxStaleMs: z
    .union([z.int().min(0).max(86_400_000), z.literal("any")])
    .default(600_000)
    .describe(
      "The maximum age, in milliseconds, of content that its server cannot confirm as current, or any. Such content is shown as degraded; older content is an error.",
    ),
  token: secretReferenceSchema
    .optional()
    .describe("A reference to the ACL token, which is read again for every request."),
  tls: tlsFilesSchema.optional().describe("The TLS files for https addresses."),
  waitMs: z
    .int()
    .min(1_000)
    .max(60_000)
    .default(50_000)
    .describe("How long a blocking query waits for a change, in milliseconds."),
  minGapMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(50)
    .describe("The shortest time between two queries that returned no change, in milliseconds."),
  maxBytes: z
    .int()
    .min(1_024)
    .max(1_024 * MIB)
    .default(64 * MIB)
    .describe("The maximum size of a response, in bytes. A larger response is an error."),
  maxBlockingQueries: z
    .int()
    .min(8)
    .max(10_000)
    .default(128)
    .describe(
      "The number of watches that have a blocking query of their own, for all providers that use the same agent. Further watches take turns.",
    ),
};

export const consulParamsSchema: z.ZodType<ConsulSettings, ConsulParams> = z.strictObject({
  ...accessShape,
  service: name("The service whose instances are the members."),
  tags: z
    .array(name("A tag."))
    .max(32)
    .default([])
    .describe("Only instances that have all of these tags are reported."),
  health: z
    .enum(["passing", "warning"])
    .default("passing")
    .describe("passing: every check is passing. warning: no check is critical."),
  near: name(
    "Sorts the response by the round-trip time from this node; _agent for the node of the agent.",
  ).optional(),
  filter: z.string().min(1).max(4_096).optional().describe("A filter expression of Consul's health API."),
  taggedAddress: name("The tagged address to use, for example wan.").optional(),
  nodeId: z
    .union([
      z.enum(["node-and-service", "service-id", "address"]),
      z.strictObject({ meta: name("A metadata key.") }),
    ])
    .default("node-and-service")
    .describe("How the id of a member is formed."),
  zoneMeta: z
    .string()
    .min(1)
    .max(128)
    .default("zone")
    .describe(
      "The metadata key that contains the zone. The metadata of the service takes precedence over that of its node.",
    ),
});
