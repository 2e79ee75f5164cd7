import {
  DEFAULT_HEALTH_POLICY,
  DEFAULT_MASS_REMOVAL,
  type GuardOptions,
  type HealthPolicy,
} from "@holdfast/provisioning";
import * as z from "zod";
import { isFields, type Fields } from "./fields.ts";
import { countSchema, DAY_MS, durationSchema } from "../number-schemas.ts";

/** The settings that each topology may have for itself. Those at the top of the file apply to the others. */
export interface TopologySettings {
  readonly health: HealthPolicy;
  readonly guards: GuardOptions;
  /** False: no snapshot is stored for the next start. */
  readonly lastKnownGood: { readonly maxAgeMs: number; readonly saveEveryMs: number } | false;
  readonly validation: {
    readonly probe: "require" | "warn";
    readonly probeTimeoutMs: number;
    readonly suppressAfter: number;
    readonly suppressMs: number;
  };
}

const health = z.strictObject({
  timeoutMs: durationSchema(
    DEFAULT_HEALTH_POLICY.timeoutMs,
    "A provider that sends nothing for this long is unreachable.",
  ),
  maxErrors: countSchema(
    DEFAULT_HEALTH_POLICY.maxErrors,
    1_000,
    "A provider with this many consecutive failures is unreachable.",
  ),
  backoffInitialMs: durationSchema(
    DEFAULT_HEALTH_POLICY.backoffInitialMs,
    "Longest wait before the first retry; it doubles with each further retry.",
  ),
  backoffMaxMs: durationSchema(DEFAULT_HEALTH_POLICY.backoffMaxMs, "Upper limit of the wait before a retry."),
  cooldownMs: durationSchema(
    DEFAULT_HEALTH_POLICY.cooldownMs,
    "How long a provider must stay healthy before it is chosen again; prevents flapping.",
  ),
  lateSnapshotMs: durationSchema(
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
  maxAgeMs: durationSchema(
    3_600_000,
    "When the daemon starts while every backend is down, a stored topology of at most this age is served as degraded.",
  ),
  saveEveryMs: durationSchema(10_000, "Time between two saves of a changed topology."),
});

const validation = z.strictObject({
  probe: z
    .enum(["require", "warn"])
    .default("require")
    .describe(
      "require: a provider whose backend cannot be reached is refused. warn: it is accepted, with a warning.",
    ),
  probeTimeoutMs: durationSchema(5_000, "Time limit for a backend to respond to a probe."),
  suppressAfter: countSchema(
    3,
    1_000,
    "After this many consecutive refusals a provider is not tried again for suppressMs.",
  ),
  suppressMs: durationSchema(60_000, "How long a refused provider is not tried again."),
});

/** The schema of each setting, with its defaults. */
export const SETTINGS: {
  readonly [K in keyof TopologySettings]: z.ZodType<TopologySettings[K], object | false>;
} = {
  health: health.meta({ id: "health" }),
  guards: guards.meta({ id: "guards" }),
  lastKnownGood: z.union([z.literal(false), lastKnownGood]).meta({ id: "lastKnownGood" }),
  validation: validation.meta({ id: "validation" }),
};

/**
 * Returns the settings of a topology: its own fields, then those of the whole file, then the defaults. Both arguments must
 * have passed their schemas. An object is merged field by field; any other value replaces the one of the file.
 */
export function resolveSettings(file: Fields, own: Fields = {}): TopologySettings {
  const resolve = <K extends keyof TopologySettings>(name: K): TopologySettings[K] =>
    SETTINGS[name].parse(merge(file[name] ?? {}, own[name]));
  return {
    health: resolve("health"),
    guards: resolve("guards"),
    lastKnownGood: resolve("lastKnownGood"),
    validation: resolve("validation"),
  };
}

function merge(base: unknown, own: unknown): unknown {
  if (own === undefined) return base;
  if (!isFields(base) || !isFields(own)) return own;
  const names = new Set([...Object.keys(base), ...Object.keys(own)]);
  return Object.fromEntries([...names].map((name) => [name, merge(base[name], own[name])]));
}
