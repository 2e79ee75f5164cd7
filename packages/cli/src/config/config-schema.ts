import {
  DEFAULT_HEALTH_POLICY,
  DEFAULT_MASS_REMOVAL,
  type GuardOptions,
  type HealthPolicy,
} from "@holdfast/provisioning";
import * as z from "zod";

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

/** The content of a configuration file, with defaults filled in. */
export interface Config {
  readonly $schema?: string | undefined;
  /** Packages, or files relative to the file's folder, that export a `createAdapter`. */
  readonly adapters?: readonly string[] | undefined;
  /** All providers. When absent, the stored ones are used. Each entry is checked by its adapter. */
  readonly providers?: readonly unknown[] | undefined;
  /** As written in the file; may be relative to the file's folder. */
  readonly dataDir: string;
  readonly health: HealthPolicy;
  readonly guards: GuardOptions;
  /** False: no topology is stored for the next start. */
  readonly lastKnownGood: { readonly maxAgeMs: number; readonly saveEveryMs: number } | false;
  readonly validation: {
    readonly probe: "require" | "warn";
    readonly probeTimeoutMs: number;
    readonly suppressAfter: number;
    readonly suppressMs: number;
  };
  readonly http: HttpConfig | false;
  readonly log: { readonly retainedEvents: number };
  readonly shutdown: { readonly drainMs: number };
}

const DAY_MS = 86_400_000;

function duration(defaultMs: number, description: string, leastMs = 1): z.ZodDefault<z.ZodInt> {
  return z.int().min(leastMs).max(DAY_MS).default(defaultMs).describe(`${description} Milliseconds.`);
}

function count(defaultCount: number, most: number, description: string): z.ZodDefault<z.ZodInt> {
  return z.int().min(1).max(most).default(defaultCount).describe(description);
}

const health = z.strictObject({
  timeoutMs: duration(
    DEFAULT_HEALTH_POLICY.timeoutMs,
    "A provider that sends nothing for this long is unreachable.",
  ),
  maxErrors: count(
    DEFAULT_HEALTH_POLICY.maxErrors,
    1_000,
    "A provider with this many consecutive failures is unreachable.",
  ),
  backoffInitialMs: duration(
    DEFAULT_HEALTH_POLICY.backoffInitialMs,
    "Longest wait before the first retry; it doubles with each further retry.",
  ),
  backoffMaxMs: duration(DEFAULT_HEALTH_POLICY.backoffMaxMs, "Upper limit of the wait before a retry."),
  cooldownMs: duration(
    DEFAULT_HEALTH_POLICY.cooldownMs,
    "How long a provider must stay healthy before it is chosen again; prevents flapping.",
  ),
  lateSnapshotMs: duration(
    DEFAULT_HEALTH_POLICY.lateSnapshotMs,
    "A snapshot older than this on arrival is late.",
  ),
  standby: z
    .enum(["warm", "cold"])
    .default(DEFAULT_HEALTH_POLICY.standby)
    .describe(
      "warm: standbys are watched too, so that a failover takes effect at once. cold: they are watched only when needed.",
    ),
});

const guards = z.strictObject({
  removalDwellMs: z
    .int()
    .min(0)
    .max(DAY_MS)
    .optional()
    .describe(
      "After a failover, members that the new provider does not list are removed once it has been active and healthy for this long; 0: at once. Default: the cooldown. Milliseconds.",
    ),
  massRemoval: z
    .union([
      z.literal(false),
      z.strictObject({
        share: z
          .number()
          .gt(0)
          .max(1)
          .default(DEFAULT_MASS_REMOVAL.share)
          .describe(
            "Removing at least this share of the members at once, or all of them, is a mass removal; above 0, up to 1.",
          ),
        holdMs: z
          .int()
          .min(1)
          .max(DAY_MS)
          .default(DEFAULT_MASS_REMOVAL.holdMs)
          .describe("Longest time that a member is kept. Milliseconds."),
        when: z
          .enum(["contested", "always"])
          .default(DEFAULT_MASS_REMOVAL.when)
          .describe(
            "contested: keeps members of a mass removal that another healthy provider still lists. always: keeps all of them until another healthy provider has removed them too.",
          ),
      }),
    ])
    .default(DEFAULT_MASS_REMOVAL)
    .describe(
      "Keeps members when the active provider removes many at once, until the other providers agree, holdMs has passed, or the daemon receives SIGUSR2. false: every removal takes effect at once.",
    ),
});

const lastKnownGood = z.strictObject({
  maxAgeMs: duration(
    3_600_000,
    "When the daemon starts while every backend is down, a stored topology of at most this age is served as degraded.",
  ),
  saveEveryMs: duration(10_000, "Time between two saves of a changed topology."),
});

const validation = z.strictObject({
  probe: z
    .enum(["require", "warn"])
    .default("require")
    .describe(
      "require: a provider whose backend cannot be reached is refused. warn: it is accepted, with a warning.",
    ),
  probeTimeoutMs: duration(5_000, "Time limit for a backend to respond to a probe."),
  suppressAfter: count(
    3,
    1_000,
    "After this many consecutive refusals a provider is not tried again for suppressMs.",
  ),
  suppressMs: duration(60_000, "How long a refused provider is not tried again."),
});

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
  maxEventClients: count(100, 100_000, "Maximum number of clients that follow /events at the same time."),
  maxConnections: z
    .int()
    .min(1)
    .max(200_000)
    .optional()
    .describe(
      "Maximum number of open connections; lower if the limit of open files (ulimit -n) is low. When it is reached, a new connection is accepted and the one that has been idle for longest is closed. Default: maxEventClients + 200.",
    ),
  maxReaderMemoryMb: count(
    128,
    65_536,
    "Maximum memory for the texts of all responses in progress. When a new one does not fit, the clients that read the oldest content are disconnected. MiB.",
  ),
});

const log = z.strictObject({
  retainedEvents: count(
    1_000,
    1_000_000,
    "Number of events kept for clients of /events that resume. A client that falls further behind is disconnected.",
  ),
});

const shutdown = z.strictObject({
  drainMs: duration(10_000, "Time that consumers have to drain when the service shuts down.", 0),
});

/**
 * The schema of a configuration file. `provider` is the schema of one provider, which depends on the adapters. An empty
 * file is a valid configuration.
 */
export function createConfigSchema(provider: z.ZodType): z.ZodType<Config> {
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
      providers: z
        .array(provider)
        .optional()
        .describe("All providers. Without this field the stored ones are used: see `holdfast providers`."),
      dataDir: z
        .string()
        .min(1)
        .max(4_096)
        .default("holdfast-data")
        .describe(
          "The folder of the stored files (providers.jsonl, last-known-good.jsonl, generation.json). A relative path starts from the folder of this file.",
        ),
      health: health
        .prefault({})
        .describe("How the health of providers is determined and when to fail over."),
      guards: guards.prefault({}).describe("Guards that keep members from being removed too early."),
      lastKnownGood: z
        .union([z.literal(false), lastKnownGood])
        .prefault({})
        .describe(
          "Stores the newest good topology in the data folder for the next start; false: it is not stored.",
        ),
      validation: validation.prefault({}).describe("Checks before a provider is accepted."),
      http: z
        .union([z.literal(false), http])
        .prefault({})
        .describe(
          "The endpoints /topology, /events, /explain, /metrics, /readyz and /healthz; false: no endpoints.",
        ),
      log: log.prefault({}).describe("The ordered event log."),
      shutdown: shutdown.prefault({}).describe("The shutdown of the daemon."),
    })
    .describe("Configuration of `holdfast run`.");
}
