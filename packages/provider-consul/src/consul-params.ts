import { secretReferenceSchema, type SecretReference } from "@holdfast/core/adapter";
import * as z from "zod";

/** What names a member: see the README's table. */
export type NodeIdRule = "node-and-service" | "service-id" | "address" | { readonly meta: string };

export interface ConsulTls {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
}

export interface ConsulProviderParams {
  /** `http://host:port` or `https://host:port`, tried in turn. */
  readonly addresses: readonly string[];
  readonly service: string;
  /** An instance must have all of them. */
  readonly tags: readonly string[];
  /** `warning`: members that pass or warn. */
  readonly health: "passing" | "warning";
  readonly datacenter?: string | undefined;
  readonly near?: string | undefined;
  readonly filter?: string | undefined;
  readonly namespace?: string | undefined;
  readonly partition?: string | undefined;
  readonly consistency: "default" | "stale" | "consistent";
  /** Milliseconds since a server last heard of its leader; older content is an error. */
  readonly maxStaleMs: number | "any";
  readonly token?: SecretReference | undefined;
  readonly tls?: ConsulTls | undefined;
  /** Milliseconds of one blocking query. */
  readonly waitMs: number;
  /** The least time between two queries that brought nothing new, in milliseconds. */
  readonly minGapMs: number;
  /** A longer response is refused. */
  readonly maxBytes: number;
  readonly taggedAddress?: string | undefined;
  readonly nodeId: NodeIdRule;
  /** The key of the service's, else the node's metadata that holds the zone. */
  readonly zoneMeta: string;
}

const MIB = 1_048_576;
const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/?$/;

const name = (description: string): z.ZodString => z.string().min(1).max(512).describe(description);
const file = (description: string): z.ZodOptional<z.ZodString> =>
  z.string().min(1).max(4_096).optional().describe(description);

export const consulParamsSchema: z.ZodType<ConsulProviderParams> = z.strictObject({
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
  tls: z
    .strictObject({
      caFile: file("The certificates to trust, PEM."),
      certFile: file("The client's certificate, PEM."),
      keyFile: file("The client's private key, PEM."),
      serverName: name(
        "The name the server's certificate must have, where that is not the host's.",
      ).optional(),
    })
    .optional()
    .describe("For https addresses."),
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
