import { providerIdSchema, TOPOLOGY_NAME_PATTERN } from "@holdfast/core/adapter";
import * as z from "zod";
import { countSchema, DAY_MS, durationSchema } from "./number-schemas.ts";
import { SETTINGS, type TopologySettings } from "./topologies/topology-settings.ts";

/** Settings of the HTTP endpoints. */
export interface HttpConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly maxEventClients: number;
  /** Undefined: `maxEventClients` + 200. */
  readonly maxConnections?: number | undefined;
  readonly maxReaderMemoryMb: number;
}

/** The content of a configuration file, with defaults filled in. `toTopologies` converts what it says about topologies. */
export interface Config extends TopologySettings {
  readonly $schema?: string | undefined;
  /** Packages, or files relative to the file's folder, that export a `createAdapter`. */
  readonly adapters?: readonly string[] | undefined;
  /** The providers of the topology `default`. */
  readonly providers?: readonly unknown[] | undefined;
  /** What several topologies share, by name. */
  readonly backends?: Readonly<Record<string, unknown>> | undefined;
  readonly topologies?: Readonly<Record<string, unknown>> | undefined;
  readonly discover?: readonly unknown[] | undefined;
  /** As written in the file; may be relative to the file's folder. */
  readonly dataDir: string;
  readonly http: HttpConfig | false;
  readonly log: { readonly retainedEvents: number };
  readonly shutdown: { readonly drainMs: number };
}

const http = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(253)
    .default("127.0.0.1")
    .describe(
      "The address to listen on. The endpoints are read-only and require no password: keep them on loopback, or put them behind a proxy that requires one.",
    ),
  port: z.int().min(0).max(65_535).default(7_420).describe("0: any free port, which is printed."),
  allowedHosts: z
    .array(z.string().min(1).max(253))
    .max(100)
    .default([])
    .describe(
      "Additional names allowed in the Host header of requests, without a port. On a loopback address only loopback names are answered otherwise.",
    ),
  maxEventClients: countSchema(
    1_000,
    100_000,
    "Maximum number of clients that follow /events at the same time; lower if the limit of open files (ulimit -n) is low.",
  ),
  maxConnections: z
    .int()
    .min(1)
    .max(200_000)
    .optional()
    .describe(
      "Maximum number of open connections; lower if the limit of open files (ulimit -n) is low. When it is reached, a new connection is accepted and the one that has been idle for longest is closed. Default: maxEventClients + 200.",
    ),
  maxReaderMemoryMb: countSchema(
    128,
    65_536,
    "Maximum memory for the texts of all responses in progress. When a new one does not fit, the clients that read the oldest content are disconnected. MiB.",
  ),
});

const log = z.strictObject({
  retainedEvents: countSchema(
    1_000,
    1_000_000,
    "Number of events kept for clients of /events that resume. A client that falls further behind is disconnected.",
  ),
});

const shutdown = z.strictObject({
  drainMs: durationSchema(10_000, "Time that consumers have to drain when the service shuts down.", 0),
});

/** Maximum number of backends, and of topologies, of a file. */
const MAX_NAMES = 1_000;
/** Maximum number of entries of `discover`, and of sources of one of them. */
const MAX_DISCOVERIES = 100;

/** The schemas of the parts that depend on the adapters. Without them, these parts accept anything. */
export interface PartSchemas {
  readonly provider: z.ZodType;
  /** A provider in which texts may contain placeholders. */
  readonly template: z.ZodType;
  readonly backend: z.ZodType;
  readonly source: z.ZodType;
}

const UNCHECKED: PartSchemas = {
  provider: z.unknown(),
  template: z.unknown(),
  backend: z.looseObject({ kind: z.string() }),
  source: z.unknown(),
};

/** The settings that a topology can have for itself. */
const ownSettings = {
  health: SETTINGS.health
    .optional()
    .describe("Fields of health for this topology, in place of those at the top."),
  guards: SETTINGS.guards
    .optional()
    .describe("Fields of guards for this topology, in place of those at the top."),
  lastKnownGood: SETTINGS.lastKnownGood
    .optional()
    .describe(
      "Fields of lastKnownGood for this topology, in place of those at the top; false: it is not stored.",
    ),
  validation: SETTINGS.validation
    .optional()
    .describe("Fields of validation for this topology, in place of those at the top."),
};

function createTopologySchema(provider: z.ZodType): z.ZodType {
  return z
    .strictObject({
      required: z.boolean().default(true).describe("false: /readyz does not wait for this topology."),
      providers: z
        .array(provider)
        .optional()
        .describe(
          "All providers of the topology, in order of preference. Without this field the stored ones are used: see `holdfast providers`.",
        ),
      ...ownSettings,
    })
    .describe("A topology.");
}

const discoveryMassRemoval = z.strictObject({
  share: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe("When at least this share of the services is missing at once, or all of them. Default: 0.5."),
  holdMs: z
    .int()
    .min(0)
    .max(DAY_MS)
    .optional()
    .describe(
      "How long such services must have been missing; at least removeAfterMs. Default: 300000. Milliseconds.",
    ),
});

function createDiscoverySchema({ source, template }: PartSchemas): z.ZodType {
  return z
    .strictObject({
      from: z
        .array(source)
        .min(1)
        .max(MAX_DISCOVERIES)
        .describe(
          "The backends whose services become topologies. A service is present as long as any of them lists it.",
        ),
      topology: z
        .string()
        .min(1)
        .max(256)
        .default("{service}")
        .describe(
          "The name of the topology of a service. {service} is replaced by the name of the service, and {namespace} by its namespace in Kubernetes.",
        ),
      providers: z
        .array(template)
        .min(1)
        .describe(
          "The providers of each topology, in order of preference. Placeholders are replaced in their ids and in the texts of their parameters.",
        ),
      required: z
        .boolean()
        .default(false)
        .describe("true: /readyz waits for the topologies that were found."),
      removeAfterMs: z
        .int()
        .min(0)
        .max(DAY_MS)
        .optional()
        .describe(
          "A topology disappears when no backend has listed its service for this long. Default: 60000. Milliseconds.",
        ),
      massRemoval: z
        .union([z.literal(false), discoveryMassRemoval])
        .optional()
        .describe(
          "Keeps topologies when many services vanish at once, or after a backend lost its history. false: they disappear like others.",
        ),
      ...ownSettings,
    })
    .describe("Topologies that are found in backends.");
}

function namesSchema(name: z.ZodType<string>, value: z.ZodType): z.ZodType<Record<string, unknown>> {
  return z
    .record(name, value)
    .refine((names) => Object.keys(names).length <= MAX_NAMES, `at most ${MAX_NAMES} entries`);
}

/** The schema of a configuration file. An empty file is a valid configuration. */
export function createConfigSchema(parts: PartSchemas = UNCHECKED): z.ZodType<Config> {
  return z
    .strictObject({
      $schema: z.string().optional().describe("The location of the JSON Schema of this file, for editors."),
      adapters: z
        .array(z.string().min(1).max(4_096))
        .max(100)
        .optional()
        .describe(
          "Modules with adapters for more kinds of provider: names of packages, or files, whose relative paths start from the folder of this file.",
        ),
      backends: namesSchema(providerIdSchema, parts.backend)
        .optional()
        .describe(
          "What several topologies share, by name: the kind of a backend, its address, and other parameters.",
        ),
      providers: z
        .array(parts.provider)
        .optional()
        .describe(
          "All providers of the topology default, when there is only this one or no other has this name. Without this field the stored ones are used: see `holdfast providers`.",
        ),
      topologies: namesSchema(z.string().regex(TOPOLOGY_NAME_PATTERN), createTopologySchema(parts.provider))
        .optional()
        .describe(
          "The topologies, by name. Without this field, and without discover, there is one: default.",
        ),
      discover: z
        .array(createDiscoverySchema(parts))
        .max(MAX_DISCOVERIES)
        .optional()
        .describe("Topologies that are found in backends. They appear and disappear while the daemon runs."),
      dataDir: z
        .string()
        .min(1)
        .max(4_096)
        .default("holdfast-data")
        .describe(
          "The folder of the stored files (providers.jsonl, last-known-good.jsonl, generation.json, services.jsonl), and of those of other topologies than default in topologies/NAME. A relative path starts from the folder of this file.",
        ),
      health: SETTINGS.health
        .prefault({})
        .describe("How the health of providers is determined and when to fail over."),
      guards: SETTINGS.guards.prefault({}).describe("Guards that keep members from being removed too early."),
      lastKnownGood: SETTINGS.lastKnownGood
        .prefault({})
        .describe(
          "Stores the newest good topology in the data folder for the next start; false: it is not stored.",
        ),
      validation: SETTINGS.validation.prefault({}).describe("Checks before a provider is accepted."),
      http: z
        .union([z.literal(false), http])
        .prefault({})
        .describe(
          "The endpoints /topology, /topologies, /events, /explain, /metrics, /readyz and /healthz; false: no endpoints.",
        ),
      log: log.prefault({}).describe("The ordered event log."),
      shutdown: shutdown.prefault({}).describe("The shutdown of the daemon."),
    })
    .describe("Configuration of `holdfast run`.");
}
