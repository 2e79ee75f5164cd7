import {
  DEFAULT_HEALTH_POLICY,
  DEFAULT_MASS_REMOVAL,
  type GuardOptions,
  type HealthPolicy,
} from "@holdfast/provisioning";
import * as z from "zod";

/** The address the endpoints are served on. */
export interface HttpConfig {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly maxEventClients: number;
  /** Left out: `maxEventClients` and 200 more. */
  readonly maxConnections?: number | undefined;
  readonly maxReaderMemoryMb: number;
}

/** What a configuration file says, defaults filled in. */
export interface Config {
  readonly $schema?: string | undefined;
  /** Packages, or files relative to the file's folder, that export a `createAdapter`. */
  readonly adapters?: readonly string[] | undefined;
  /** When present these are the providers; else the store says. Each is for its adapter to check. */
  readonly providers?: readonly unknown[] | undefined;
  /** As written: relative to the file's folder. */
  readonly dataDir: string;
  readonly health: HealthPolicy;
  readonly guards: GuardOptions;
  /** False: nothing is kept across restarts. */
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
    "A provider that gives no sign of life for so long is unreachable.",
  ),
  maxErrors: count(
    DEFAULT_HEALTH_POLICY.maxErrors,
    1_000,
    "A provider that fails so often in a row is unreachable.",
  ),
  backoffInitialMs: duration(
    DEFAULT_HEALTH_POLICY.backoffInitialMs,
    "The first retry waits up to so long; each further one up to twice as long.",
  ),
  backoffMaxMs: duration(DEFAULT_HEALTH_POLICY.backoffMaxMs, "No retry waits longer."),
  cooldownMs: duration(
    DEFAULT_HEALTH_POLICY.cooldownMs,
    "A provider must stay healthy for so long to be trusted again; nothing flaps within it.",
  ),
  lateSnapshotMs: duration(
    DEFAULT_HEALTH_POLICY.lateSnapshotMs,
    "A snapshot older than this on arrival is late.",
  ),
  standby: z
    .enum(["warm", "cold"])
    .default(DEFAULT_HEALTH_POLICY.standby)
    .describe("warm: stand-bys are watched too, so that a fail-over takes no time. cold: only when needed."),
});

const guards = z.strictObject({
  removalDwellMs: z
    .int()
    .min(0)
    .max(DAY_MS)
    .optional()
    .describe(
      "After a fail-over, members that the new provider does not list leave once it has been active and healthy for so long; 0: at once. Left out: the cooldown. Milliseconds.",
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
          .describe("A drop of this share of the members or more, or of all, is large; above 0, up to 1."),
        holdMs: z
          .int()
          .min(1)
          .max(DAY_MS)
          .default(DEFAULT_MASS_REMOVAL.holdMs)
          .describe("How long a member is kept at most. Milliseconds."),
        when: z
          .enum(["contested", "always"])
          .default(DEFAULT_MASS_REMOVAL.when)
          .describe(
            "contested: members of a large drop that another healthy provider still lists are kept. always: all are kept until another healthy provider has removed them too.",
          ),
      }),
    ])
    .default(DEFAULT_MASS_REMOVAL)
    .describe(
      "Keeps members when the active provider drops many at once, until the other providers agree, time is up, or kill -USR2. false: every removal takes effect at once.",
    ),
});

const lastKnownGood = z.strictObject({
  maxAgeMs: duration(
    3_600_000,
    "Started with every backend down, the last known good topology is served as degraded, if it is not older.",
  ),
  saveEveryMs: duration(10_000, "How often a changed topology is saved."),
});

const validation = z.strictObject({
  probe: z
    .enum(["require", "warn"])
    .default("require")
    .describe(
      "require: a provider whose backend cannot be reached is refused. warn: it is taken, with a warning.",
    ),
  probeTimeoutMs: duration(5_000, "A backend must prove itself within so long."),
  suppressAfter: count(
    3,
    1_000,
    "A provider that is refused so often in a row is not tried again for a while.",
  ),
  suppressMs: duration(60_000, "How long that while is."),
});

const http = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(253)
    .default("127.0.0.1")
    .describe(
      "Where to listen. The endpoints are read-only and ask for no password: leave it on loopback, or put it behind something that does.",
    ),
  port: z.int().min(0).max(65_535).default(7_420).describe("0 takes any free port; the real one is printed."),
  allowedHosts: z
    .array(z.string().min(1).max(253))
    .max(100)
    .default([])
    .describe(
      "Further names that requests may have in their Host header, without a port. On a loopback address only names of this machine are answered otherwise.",
    ),
  maxEventClients: count(100, 100_000, "How many clients may follow /events at once."),
  maxConnections: z
    .int()
    .min(1)
    .max(200_000)
    .optional()
    .describe(
      "How many connections may be open at once; fewer where the limit of open files (ulimit -n) is low. When it is reached, a new connection is let in and the one that has been idle for longest is closed. Left out: maxEventClients and 200 more.",
    ),
  maxReaderMemoryMb: count(
    128,
    65_536,
    "How much memory the texts of all responses in progress may hold together. When a new one does not fit, the clients that read the oldest content are disconnected. MiB.",
  ),
});

const log = z.strictObject({
  retainedEvents: count(
    1_000,
    1_000_000,
    "How many events are kept for clients of /events that resume; one that falls further behind is disconnected.",
  ),
});

const shutdown = z.strictObject({
  drainMs: duration(10_000, "How long consumers have to finish when the service shuts down.", 0),
});

/**
 * The form of a configuration file around its providers: what one of them looks like is up to their adapters. A file
 * with nothing in it is a configuration too.
 */
export function createConfigSchema(provider: z.ZodType): z.ZodType<Config> {
  return z
    .strictObject({
      $schema: z.string().optional().describe("Where the JSON Schema of this file is, for editors."),
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
        .describe(
          "The providers, all of them. Without this the store says which there are: see `holdfast providers`.",
        ),
      dataDir: z
        .string()
        .min(1)
        .max(4_096)
        .default("holdfast-data")
        .describe(
          "The folder of what is stored (providers.jsonl, last-known-good.jsonl, generation.json). A relative path starts from the folder of this file.",
        ),
      health: health.prefault({}).describe("How the health of providers is judged and when to fail over."),
      guards: guards.prefault({}).describe("What keeps members from leaving too soon."),
      lastKnownGood: z
        .union([z.literal(false), lastKnownGood])
        .prefault({})
        .describe("The newest good topology, kept in the data folder across restarts; false for none."),
      validation: validation.prefault({}).describe("What a provider must prove before it is accepted."),
      http: z
        .union([z.literal(false), http])
        .prefault({})
        .describe(
          "The endpoints /topology, /events, /explain, /metrics, /readyz and /healthz; false for none.",
        ),
      log: log.prefault({}).describe("The ordered log of events."),
      shutdown: shutdown.prefault({}).describe("What happens at the end."),
    })
    .describe("Configuration of `holdfast run`.");
}
