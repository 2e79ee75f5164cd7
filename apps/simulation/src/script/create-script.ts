import { createSeededRandom } from "@holdfast/testing";
import { ScriptRandom } from "./script-random.ts";
import {
  BACKEND_INCIDENTS,
  BACKEND_BEHAVIOURS,
  BACKENDS,
  PORT_BEHAVIOURS,
  PORTS,
  type Absence,
  type BackendId,
  type DiskFault,
  type LifeSetting,
  type ProviderSpec,
  type Script,
  type Setting,
  type SnapshotFault,
  type Step,
} from "./script.ts";

const NODES = ["a", "b", "c", "d", "e"] as const;
const WAITS_MS = [1, 50, 700, 2_500, 5_000, 9_999, 10_000, 15_000, 20_000, 40_000];
const LONG_WAITS_MS = [60_000, 90_000, 180_000];
const JUMPS_MS = [-3_600_000, -5_000, -1, 1, 5_000, 3_600_000];

/** Creates the script of a seed. The same seed gives the same script. */
export function createScript(seed: number): Script {
  // Uses different random numbers than the service, which gets those of the seed itself.
  const random = new ScriptRandom(createSeededRandom(seed ^ 0x5eed));
  const setting = createSetting(random);
  const length = 25 + random.below(35);
  const steps: Step[] = [];
  while (steps.length < length) steps.push(...createSteps(random));
  return { seed, setting, steps: steps.slice(0, length) };
}

function createSetting(random: ScriptRandom): Setting {
  return {
    standby: random.chance(0.65) ? "warm" : "cold",
    timeoutMs: random.pick([15_000, 15_000, 6_000]),
    maxErrors: random.pick([3, 3, 1, 2]),
    cooldownMs: random.pick([10_000, 10_000, 4_000, 30_000]),
    lateSnapshotMs: random.pick([5_000, 5_000, 2_000]),
    backoffInitialMs: random.pick([2_000, 500]),
    backoffMaxMs: random.pick([30_000, 8_000]),
    probe: random.chance(0.5) ? "require" : "warn",
    suppressAfter: random.pick([3, 3, 1]),
    suppressMs: 60_000,
    callTimeoutMs: random.pick([10_000, 10_000, 3_000]),
    callTries: random.pick([10, 10, 3]),
    marks: random.pick(["host", "metadata", "metadata", "none"]),
    lives: random.chance(0.6) ? [createLife(random)] : [createLife(random), createLife(random)],
    providers: createSet(random, 0),
  };
}

function createLife(random: ScriptRandom): LifeSetting {
  return {
    ...(random.chance(0.5) && { removalDwellMs: random.pick([0, 1_000, 7_000, 60_000]) }),
    massRemoval: random.chance(0.3)
      ? false
      : {
          share: random.pick([0.3, 0.5, 0.5, 0.9]),
          holdMs: random.pick([3_000, 20_000, 120_000]),
          when: random.pick(["contested", "contested", "always"]),
        },
    ...(random.chance(0.5) && {
      lastKnownGood: {
        maxAgeMs: random.pick([15_000, 90_000, 3_600_000]),
        saveEveryMs: random.pick([500, 4_000, 10_000, 30_000]),
      },
    }),
  };
}

/** Usually the existing providers, so that there is a standby to fail over to. */
function createSet(random: ScriptRandom, flaws: number): readonly ProviderSpec[] {
  const size = random.weighted<number>([
    [1, 0],
    [4, 1],
    [8, 2],
    [7, 3],
    [3, 4],
  ]);
  const ids = BACKENDS.slice(0, size);
  return (random.chance(0.7) ? ids : random.some(BACKENDS)).map((id) => createProvider(random, id, flaws));
}

function createProvider(random: ScriptRandom, id: BackendId, flaws: number): ProviderSpec {
  const priority = random.chance(0.8) ? 10 - BACKENDS.indexOf(id) : random.below(10);
  const variant = random.chance(0.85) ? 0 : 1;
  if (!random.chance(flaws)) return { id, priority, variant };
  const flaw = random.pick(["blind", "unknownKind", "missingField", "literalSecret"] as const);
  return { id, priority, variant, flaw };
}

/** Creates one step, or a few that belong together. */
function createSteps(random: ScriptRandom): readonly Step[] {
  const at = random.weighted<BackendId>([
    [5, "p"],
    [4, "q"],
    [2, "r"],
    [1, "s"],
  ]);
  const make = random.weighted<() => readonly Step[]>([
    [24, () => [createWait(random)]],
    [9, () => [createMembers(random, at)]],
    [
      8,
      () => [
        { do: "behaviour", at, behaviour: random.chance(0.45) ? "well" : random.pick(BACKEND_BEHAVIOURS) },
      ],
    ],
    [10, () => createOutage(random, at)],
    [8, () => [{ do: "incident", at, incident: random.pick(BACKEND_INCIDENTS) }]],
    [2, () => [{ do: "latency", at, ms: random.pick([0, 0, 5, 300, 2_000, 7_000]) }]],
    [4, () => [{ do: "reload", set: createSet(random, 0.08), ...createAbort(random) }]],
    [2, () => [{ do: "register", provider: createProvider(random, at, 0.15), ...createAbort(random) }]],
    [2, () => [{ do: "remove", id: at }]],
    [1, () => [{ do: "restoreSet" }]],
    [1, () => [{ do: "resubmit" }]],
    [5, () => [{ do: "block", node: random.pick(NODES) }]],
    [4, () => [{ do: "restore", node: random.pick(NODES) }]],
    [2, () => [random.chance(0.6) ? { do: "override", id: at } : { do: "override" }]],
    [5, () => [{ do: "admit", ...createAbort(random) }]],
    [7, () => [createPortStep(random)]],
    [4, () => [{ do: "leases", back: random.chance(0.8) ? 0 : 1 }]],
    [3, () => createDiskSteps(random)],
    [2, () => [{ do: "jump", ms: random.pick(JUMPS_MS) }]],
    [2, () => createRestart(random)],
    [4, () => createMassRemoval(random, at)],
    [3, () => createPoorStandby(random)],
    [2, () => createDarkStart(random)],
    [2, () => createSnapshotFault(random)],
    [1, () => [{ do: "acceptRemovals" }]],
  ]);
  return make();
}

function createWait(random: ScriptRandom): Step {
  return { do: "wait", ms: random.chance(0.06) ? random.pick(LONG_WAITS_MS) : random.pick(WAITS_MS) };
}

function createMembers(random: ScriptRandom, at: BackendId): Step {
  if (random.chance(0.12)) return { do: "members", at, nodes: [] };
  const nodes = random.some(NODES, 0.65).map((node) => (random.chance(0.08) ? `${node}2` : node));
  return { do: "members", at, nodes, ...(random.chance(0.15) && { skipped: 1 + random.below(3) }) };
}

/** A backend that fails for a while, and usually recovers. */
function createOutage(random: ScriptRandom, at: BackendId): readonly Step[] {
  const behaviour = random.pick([
    "refusing",
    "forbidding",
    "hanging",
    "foreign",
    "stalling",
    "overloaded",
  ] as const);
  const steps: Step[] = [{ do: "behaviour", at, behaviour }];
  if (behaviour !== "hanging" && behaviour !== "stalling")
    steps.push({ do: "incident", at, incident: random.pick(["break", "end", "shatter"]) });
  steps.push(createWait(random));
  if (random.chance(0.7)) steps.push({ do: "behaviour", at, behaviour: "well" });
  if (random.chance(0.4)) steps.push(createWait(random));
  return steps;
}

function createAbort(random: ScriptRandom): { readonly abortAfterMs?: number } {
  return random.chance(0.15) ? { abortAfterMs: random.pick([0, 1, 100, 3_000]) } : {};
}

function createPortStep(random: ScriptRandom): Step {
  const port = random.pick(PORTS);
  const behaviour = random.chance(0.4) ? "well" : random.pick(PORT_BEHAVIOURS);
  if (behaviour === "slow") return { do: "port", port, behaviour, ms: random.pick([1, 400, 6_000]) };
  if (behaviour === "crashed") return { do: "port", port, behaviour, ms: random.pick([500, 5_000, 45_000]) };
  return { do: "port", port, behaviour };
}

/** A fault without effect proves nothing, so usually a change of the set follows at once. */
function createDiskSteps(random: ScriptRandom): readonly Step[] {
  const fault = random.weighted<DiskFault>([
    [3, "saveFailsBefore"],
    [3, "saveFailsAfter"],
    [1, "conflict"],
    [1, "loadFails"],
    [2, "slow"],
    [2, "fast"],
  ]);
  const steps: Step[] = [{ do: "disk", fault }];
  if (fault === "loadFails") steps.push(...createRestart(random));
  else if (random.chance(0.7)) steps.push({ do: "reload", set: createSet(random, 0) });
  if (fault === "saveFailsAfter" && random.chance(0.4)) {
    // The attempt to correct it fails too.
    steps.splice(1, 0, { do: "disk", fault: "saveFailsBefore" });
    if (random.chance(0.6)) steps.push({ do: "resubmit" });
  }
  if (fault === "slow" && random.chance(0.5))
    steps.push({ do: "wait", ms: random.pick([1, 50, 200]) }, { do: "kill" });
  if (fault === "conflict" && random.chance(0.7)) steps.push({ do: "restoreSet" });
  return steps;
}

function createRestart(random: ScriptRandom): readonly Step[] {
  const away = random.chance(0.3) ? { away: createAbsence(random) } : {};
  if (random.chance(0.5)) return [{ do: "kill", ...away }];
  return [{ do: "restart", deadlineMs: random.pick([0, 100, 3_000, 10_000]), ...away }];
}

function createAbsence(random: ScriptRandom): Absence {
  const jumpMs = random.chance(0.3) ? random.pick([...JUMPS_MS, -61_000, -30_000, 80_000]) : 0;
  return { ms: random.pick([1, 5_000, 20_000, 80_000]), jumpMs };
}

/** Most members are removed at once at one backend, possibly at others too, and may come back. */
function createMassRemoval(random: ScriptRandom, at: BackendId): readonly Step[] {
  const nodes = random.some(NODES, 0.15);
  const steps: Step[] = [];
  if (random.chance(0.3)) steps.push({ do: "members", at, nodes: NODES }, createWait(random));
  steps.push({ do: "members", at, nodes });
  if (random.chance(0.5)) steps.push(createWait(random));
  if (random.chance(0.4)) steps.push({ do: "members", at: random.pick(BACKENDS), nodes });
  if (random.chance(0.3)) steps.push({ do: "acceptRemovals" });
  if (random.chance(0.5)) steps.push(createWait(random), createMembers(random, at));
  return steps;
}

/** A standby that lists fewer members, or none, takes over. */
function createPoorStandby(random: ScriptRandom): readonly Step[] {
  const nodes = random.some(NODES, 0.3);
  const steps: Step[] = [{ do: "members", at: "q", nodes }, ...createOutage(random, "p")];
  if (random.chance(0.5)) steps.push(createWait(random));
  return steps;
}

/** The service starts while every backend is down. */
function createDarkStart(random: ScriptRandom): readonly Step[] {
  const behaviours = BACKENDS.map((at): Step => {
    return {
      do: "behaviour",
      at,
      behaviour: random.pick(["refusing", "hanging", "forbidding", "foreign"] as const),
    };
  });
  const steps: Step[] = [];
  if (random.chance(0.6)) steps.push(createWait(random));
  if (random.chance(0.2)) steps.push(...createSnapshotFault(random));
  steps.push(...behaviours, ...createRestart(random), createWait(random));
  if (random.chance(0.5)) steps.push({ do: "block", node: random.pick(NODES) });
  if (random.chance(0.3)) steps.push(createWait(random));
  if (random.chance(0.3)) steps.push(createMembers(random, "p"));
  const healed = random.chance(0.4) ? [random.pick(BACKENDS)] : BACKENDS;
  return [...steps, ...healed.map((at): Step => ({ do: "behaviour", at, behaviour: "well" }))];
}

function createSnapshotFault(random: ScriptRandom): readonly Step[] {
  const fault = random.weighted<SnapshotFault>([
    [2, "saveFailsBefore"],
    [1, "saveFailsAfter"],
    [1, "savesHang"],
    [1, "loadFails"],
    [1, "damaged"],
    [1, "cut"],
    [1, "lost"],
    [2, "none"],
  ]);
  return [{ do: "snapshotFile", fault }];
}
