import {
  secretReferenceSchema,
  tlsFilesSchema,
  type SecretReference,
  type TlsFiles,
  type WithDefaults,
} from "@holdfast/core/adapter";
import * as z from "zod";

/** What names a member: see the README's table. */
export type NodeIdRule = "node-and-service" | "service-id" | "address" | { readonly meta: string };

/** Which instances of which service a provider reports, and how it asks for them. Only `service` is required. */
export interface ConsulParams {
  /** The service whose instances are the members. */
  readonly service: string;
  /** Consul agents or servers, `http://host:port` or `https://host:port`, tried in turn. @defaultValue ["http://127.0.0.1:8500"] */
  readonly addresses?: readonly string[] | undefined;
  /** Only instances that have all of these tags. @defaultValue [] */
  readonly tags?: readonly string[] | undefined;
  /** `passing`: every check of an instance passes. `warning`: none is critical. @defaultValue "passing" */
  readonly health?: "passing" | "warning" | undefined;
  /** @defaultValue the agent's datacenter */
  readonly datacenter?: string | undefined;
  /** Sorts the response by round-trip time from this node; `_agent` for the agent's node. */
  readonly near?: string | undefined;
  /** A filter expression of Consul's health API. */
  readonly filter?: string | undefined;
  /** The namespace (Consul Enterprise). */
  readonly namespace?: string | undefined;
  /** The admin partition (Consul Enterprise). */
  readonly partition?: string | undefined;
  /** Which servers may answer: see Consul's consistency modes. @defaultValue "default" */
  readonly consistency?: "default" | "stale" | "consistent" | undefined;
  /**
   * Milliseconds since a server last heard of its leader, up to which its content is shown as degraded; older content is an error.
   * @defaultValue 600000
   */
  readonly maxStaleMs?: number | "any" | undefined;
  /** The ACL token by reference, `{ env }` or `{ file }`; read again for every request. */
  readonly token?: SecretReference | undefined;
  /** For https addresses. */
  readonly tls?: TlsFiles | undefined;
  /** How long a blocking query waits for a change, in milliseconds. @defaultValue 50000 */
  readonly waitMs?: number | undefined;
  /** The least time between two queries that brought nothing new, in milliseconds. @defaultValue 50 */
  readonly minGapMs?: number | undefined;
  /** A longer response is refused. @defaultValue 67108864 */
  readonly maxBytes?: number | undefined;
  /** Which tagged address to use, for example `wan`. @defaultValue the service's own address */
  readonly taggedAddress?: string | undefined;
  /** What names a member. @defaultValue "node-and-service" */
  readonly nodeId?: NodeIdRule | undefined;
  /** The metadata key, of the service or else its node, that holds the zone. @defaultValue "zone" */
  readonly zoneMeta?: string | undefined;
}

/** `ConsulParams` with the defaults filled in. */
export type ConsulSettings = WithDefaults<
  ConsulParams,
  | "addresses"
  | "tags"
  | "health"
  | "consistency"
  | "maxStaleMs"
  | "waitMs"
  | "minGapMs"
  | "maxBytes"
  | "nodeId"
  | "zoneMeta"
>;

const MIB = 1_048_576;
const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/?$/;

const name = (description: string): z.ZodString => z.string().min(1).max(512).describe(description);
export const consulParamsSchema: z.ZodType<ConsulSettings, ConsulParams> = z.strictObject({
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
  service: name("The service whose instances are the members."),
  tags: z.array(name("A tag.")).max(32).default([]).describe("Only instances with all of these tags."),
  health: z
    .enum(["passing", "warning"])
    .default("passing")
    .describe("passing: every check passes. warning: none is critical."),
  datacenter: name("Another datacenter than the agent's.").optional(),
  near: name("Sorts the response by round-trip time from this node; _agent for the agent's.").optional(),
  filter: z.string().min(1).max(4_096).optional().describe("A filter expression of Consul's health API."),
  namespace: name("The namespace (Consul Enterprise).").optional(),
  partition: name("The admin partition (Consul Enterprise).").optional(),
  consistency: z
    .enum(["default", "stale", "consistent"])
    .default("default")
    .describe("Which servers may answer: see Consul's consistency modes."),
  maxStaleMs: z
    .union([z.int().min(0).max(86_400_000), z.literal("any")])
    .default(600_000)
    .describe(
      "How old content may be that its server does not vouch for, in milliseconds, or any. It is shown as degraded; older content is an error.",
    ),
  token: secretReferenceSchema
    .optional()
    .describe("The ACL token, by reference; read again for every request."),
  tls: tlsFilesSchema.optional().describe("For https addresses."),
  waitMs: z
    .int()
    .min(1_000)
    .max(60_000)
    .default(50_000)
    .describe("How long a blocking query waits for a change. Milliseconds."),
  minGapMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(50)
    .describe("The least time between two queries that brought nothing new. Milliseconds."),
  maxBytes: z
    .int()
    .min(1_024)
    .max(1_024 * MIB)
    .default(64 * MIB)
    .describe("A longer response is refused."),
  taggedAddress: name("Which tagged address to use, for example wan.").optional(),
  nodeId: z
    .union([
      z.enum(["node-and-service", "service-id", "address"]),
      z.strictObject({ meta: name("A metadata key.") }),
    ])
    .default("node-and-service")
    .describe("What names a member."),
  zoneMeta: z
    .string()
    .min(1)
    .max(128)
    .default("zone")
    .describe("The metadata key, of the service or else its node, that holds the zone."),
});
