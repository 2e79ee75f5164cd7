import * as z from "zod";
import {
  BACKEND_INCIDENTS,
  BACKEND_BEHAVIOURS,
  BACKENDS,
  DISK_FAULTS,
  PORT_BEHAVIOURS,
  PORTS,
  SNAPSHOT_FAULTS,
  type LifeSetting,
  type ProviderSpec,
  type Script,
  type Setting,
  type Step,
} from "./script.ts";

const ms = z.number().min(0).max(3_600_000);
const at = z.enum(BACKENDS);
const abortAfterMs = ms.optional();
const away = z.strictObject({ ms, jumpMs: z.number() }).optional();
/** `a`, or `a2` for the same node at another address. */
const node = z.string().regex(/^[a-z][0-9]?$/);

const provider: z.ZodType<ProviderSpec> = z.strictObject({
  id: at,
  priority: z.int(),
  variant: z.int(),
  flaw: z.enum(["good", "blind", "unknownKind", "missingField", "literalSecret"]).optional(),
});

const step: z.ZodType<Step> = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("wait"), ms }),
  z.strictObject({ do: z.literal("members"), at, nodes: z.array(node), skipped: z.int().optional() }),
  z.strictObject({ do: z.literal("behaviour"), at, behaviour: z.enum(BACKEND_BEHAVIOURS) }),
  z.strictObject({ do: z.literal("latency"), at, ms }),
  z.strictObject({ do: z.literal("incident"), at, incident: z.enum(BACKEND_INCIDENTS) }),
  z.strictObject({ do: z.literal("reload"), set: z.array(provider), abortAfterMs }),
  z.strictObject({ do: z.literal("register"), provider, abortAfterMs }),
  z.strictObject({ do: z.literal("remove"), id: at }),
  z.strictObject({ do: z.literal("restoreSet") }),
  z.strictObject({ do: z.literal("resubmit") }),
  z.strictObject({ do: z.literal("block"), node }),
  z.strictObject({ do: z.literal("restore"), node }),
  z.strictObject({ do: z.literal("override"), id: at.optional() }),
  z.strictObject({ do: z.literal("admit"), abortAfterMs }),
  z.strictObject({ do: z.literal("leases"), back: z.int() }),
  z.strictObject({
    do: z.literal("port"),
    port: z.enum(PORTS),
    behaviour: z.enum(PORT_BEHAVIOURS),
    ms: ms.optional(),
  }),
  z.strictObject({ do: z.literal("disk"), fault: z.enum(DISK_FAULTS) }),
  z.strictObject({ do: z.literal("snapshotFile"), fault: z.enum(SNAPSHOT_FAULTS) }),
  z.strictObject({ do: z.literal("acceptRemovals") }),
  z.strictObject({ do: z.literal("jump"), ms: z.number() }),
  z.strictObject({ do: z.literal("restart"), deadlineMs: ms, away }),
  z.strictObject({ do: z.literal("kill"), away }),
]);

const positive = z.number().positive();

const life: z.ZodType<LifeSetting> = z.strictObject({
  removalDwellMs: ms.optional(),
  massRemoval: z
    .union([
      z.literal(false),
      z.strictObject({ share: positive.max(1), holdMs: positive, when: z.enum(["contested", "always"]) }),
    ])
    .optional(),
  lastKnownGood: z.strictObject({ maxAgeMs: positive, saveEveryMs: positive }).optional(),
});

const setting: z.ZodType<Setting> = z.strictObject({
  standby: z.enum(["warm", "cold"]),
  timeoutMs: positive,
  maxErrors: z.int().positive(),
  cooldownMs: positive,
  lateSnapshotMs: positive,
  backoffInitialMs: positive,
  backoffMaxMs: positive,
  probe: z.enum(["require", "warn"]),
  suppressAfter: z.int().positive(),
  suppressMs: positive,
  callTimeoutMs: positive,
  callTries: z.int().positive(),
  marks: z.enum(["host", "metadata", "none"]),
  lives: z.array(life).min(1),
  providers: z.array(provider),
});

/** The schema of a script that `--script FILE` reads. */
export const scriptSchema: z.ZodType<Script> = z.strictObject({
  seed: z.int(),
  setting,
  steps: z.array(step),
});
