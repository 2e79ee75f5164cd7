import { createSeededRandom } from "@holdfast/testing";
import { Dice } from "./dice.ts";
import {
  BACKEND_BLOWS,
  BACKEND_MOODS,
  BACKENDS,
  PORT_MOODS,
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

/** The same script for the same seed. */
export function createScript(seed: number): Script {
  // Not the numbers the service gets, which are drawn from the seed itself.
  const dice = new Dice(createSeededRandom(seed ^ 0x5eed));
  const setting = createSetting(dice);
  const length = 25 + dice.below(35);
  const steps: Step[] = [];
  while (steps.length < length) steps.push(...createSteps(dice));
  return { seed, setting, steps: steps.slice(0, length) };
}

function createSetting(dice: Dice): Setting {
  return {
    standby: dice.chance(0.65) ? "warm" : "cold",
    timeoutMs: dice.pick([15_000, 15_000, 6_000]),
    maxErrors: dice.pick([3, 3, 1, 2]),
    cooldownMs: dice.pick([10_000, 10_000, 4_000, 30_000]),
    lateSnapshotMs: dice.pick([5_000, 5_000, 2_000]),
    backoffInitialMs: dice.pick([2_000, 500]),
    backoffMaxMs: dice.pick([30_000, 8_000]),
    probe: dice.chance(0.5) ? "require" : "warn",
    suppressAfter: dice.pick([3, 3, 1]),
    suppressMs: 60_000,
    callTimeoutMs: dice.pick([10_000, 10_000, 3_000]),
    callTries: dice.pick([10, 10, 3]),
    marks: dice.pick(["host", "metadata", "metadata", "none"]),
    lives: dice.chance(0.6) ? [createLife(dice)] : [createLife(dice), createLife(dice)],
    providers: createSet(dice, 0),
  };
}

function createLife(dice: Dice): LifeSetting {
  return {
    ...(dice.chance(0.5) && { removalDwellMs: dice.pick([0, 1_000, 7_000, 60_000]) }),
    massRemoval: dice.chance(0.3)
      ? false
      : {
          share: dice.pick([0.3, 0.5, 0.5, 0.9]),
          holdMs: dice.pick([3_000, 20_000, 120_000]),
          when: dice.pick(["contested", "contested", "always"]),
        },
    ...(dice.chance(0.5) && {
      lastKnownGood: {
        maxAgeMs: dice.pick([15_000, 90_000, 3_600_000]),
        saveEveryMs: dice.pick([500, 4_000, 10_000, 30_000]),
      },
    }),
  };
}

/** Most often the ones there are, so that there is something to fail over to. */
function createSet(dice: Dice, flaws: number): readonly ProviderSpec[] {
  const size = dice.weighted<number>([
    [1, 0],
    [4, 1],
    [8, 2],
    [7, 3],
    [3, 4],
  ]);
  const ids = BACKENDS.slice(0, size);
  return (dice.chance(0.7) ? ids : dice.some(BACKENDS)).map((id) => createProvider(dice, id, flaws));
}

function createProvider(dice: Dice, id: BackendId, flaws: number): ProviderSpec {
  const priority = dice.chance(0.8) ? 10 - BACKENDS.indexOf(id) : dice.below(10);
  const variant = dice.chance(0.85) ? 0 : 1;
  if (!dice.chance(flaws)) return { id, priority, variant };
  const flaw = dice.pick(["blind", "unknownKind", "missingField", "literalSecret"] as const);
  return { id, priority, variant, flaw };
}

/** One step, or a few that belong together. */
function createSteps(dice: Dice): readonly Step[] {
  const at = dice.weighted<BackendId>([
    [5, "p"],
    [4, "q"],
    [2, "r"],
    [1, "s"],
  ]);
  const make = dice.weighted<() => readonly Step[]>([
    [24, () => [createWait(dice)]],
    [9, () => [createMembers(dice, at)]],
    [8, () => [{ do: "mood", at, mood: dice.chance(0.45) ? "well" : dice.pick(BACKEND_MOODS) }]],
    [10, () => createOutage(dice, at)],
    [8, () => [{ do: "blow", at, blow: dice.pick(BACKEND_BLOWS) }]],
    [2, () => [{ do: "latency", at, ms: dice.pick([0, 0, 5, 300, 2_000, 7_000]) }]],
    [4, () => [{ do: "reload", set: createSet(dice, 0.08), ...createAbort(dice) }]],
    [2, () => [{ do: "register", provider: createProvider(dice, at, 0.15), ...createAbort(dice) }]],
    [2, () => [{ do: "remove", id: at }]],
    [1, () => [{ do: "restoreSet" }]],
    [1, () => [{ do: "resubmit" }]],
    [5, () => [{ do: "block", node: dice.pick(NODES) }]],
    [4, () => [{ do: "restore", node: dice.pick(NODES) }]],
    [2, () => [dice.chance(0.6) ? { do: "override", id: at } : { do: "override" }]],
    [5, () => [{ do: "admit", ...createAbort(dice) }]],
    [7, () => [createPortStep(dice)]],
    [4, () => [{ do: "leases", back: dice.chance(0.8) ? 0 : 1 }]],
    [3, () => createDiskSteps(dice)],
    [2, () => [{ do: "jump", ms: dice.pick(JUMPS_MS) }]],
    [2, () => createRestart(dice)],
    [4, () => createMassRemoval(dice, at)],
    [3, () => createPoorHeir(dice)],
    [2, () => createDarkStart(dice)],
    [2, () => createSnapshotFault(dice)],
    [1, () => [{ do: "acceptRemovals" }]],
  ]);
  return make();
}

function createWait(dice: Dice): Step {
  return { do: "wait", ms: dice.chance(0.06) ? dice.pick(LONG_WAITS_MS) : dice.pick(WAITS_MS) };
}

function createMembers(dice: Dice, at: BackendId): Step {
  if (dice.chance(0.12)) return { do: "members", at, nodes: [] };
  const nodes = dice.some(NODES, 0.65).map((node) => (dice.chance(0.08) ? `${node}2` : node));
  return { do: "members", at, nodes, ...(dice.chance(0.15) && { skipped: 1 + dice.below(3) }) };
}

/** A backend that fails, stays so for a while, and most often comes back. */
function createOutage(dice: Dice, at: BackendId): readonly Step[] {
  const mood = dice.pick(["refusing", "forbidding", "hanging", "foreign", "stalling", "overloaded"] as const);
  const steps: Step[] = [{ do: "mood", at, mood }];
  if (mood !== "hanging" && mood !== "stalling")
    steps.push({ do: "blow", at, blow: dice.pick(["break", "end", "shatter"]) });
  steps.push(createWait(dice));
  if (dice.chance(0.7)) steps.push({ do: "mood", at, mood: "well" });
  if (dice.chance(0.4)) steps.push(createWait(dice));
  return steps;
}

function createAbort(dice: Dice): { readonly abortAfterMs?: number } {
  return dice.chance(0.15) ? { abortAfterMs: dice.pick([0, 1, 100, 3_000]) } : {};
}

function createPortStep(dice: Dice): Step {
  const port = dice.pick(PORTS);
  const mood = dice.chance(0.4) ? "well" : dice.pick(PORT_MOODS);
  if (mood === "slow") return { do: "port", port, mood, ms: dice.pick([1, 400, 6_000]) };
  if (mood === "crashed") return { do: "port", port, mood, ms: dice.pick([500, 5_000, 45_000]) };
  return { do: "port", port, mood };
}

/** A fault that nobody meets proves nothing: most often a change of the set follows at once. */
function createDiskSteps(dice: Dice): readonly Step[] {
  const fault = dice.weighted<DiskFault>([
    [3, "saveFailsBefore"],
    [3, "saveFailsAfter"],
    [1, "conflict"],
    [1, "loadFails"],
    [2, "slow"],
    [2, "fast"],
  ]);
  const steps: Step[] = [{ do: "disk", fault }];
  if (fault === "loadFails") steps.push(...createRestart(dice));
  else if (dice.chance(0.7)) steps.push({ do: "reload", set: createSet(dice, 0) });
  if (fault === "saveFailsAfter" && dice.chance(0.4)) {
    // So does the attempt to set it right.
    steps.splice(1, 0, { do: "disk", fault: "saveFailsBefore" });
    if (dice.chance(0.6)) steps.push({ do: "resubmit" });
  }
  if (fault === "slow" && dice.chance(0.5))
    steps.push({ do: "wait", ms: dice.pick([1, 50, 200]) }, { do: "kill" });
  if (fault === "conflict" && dice.chance(0.7)) steps.push({ do: "restoreSet" });
  return steps;
}

function createRestart(dice: Dice): readonly Step[] {
  const away = dice.chance(0.3) ? { away: createAbsence(dice) } : {};
  if (dice.chance(0.5)) return [{ do: "kill", ...away }];
  return [{ do: "restart", deadlineMs: dice.pick([0, 100, 3_000, 10_000]), ...away }];
}

function createAbsence(dice: Dice): Absence {
  const jumpMs = dice.chance(0.3) ? dice.pick([...JUMPS_MS, -61_000, -30_000, 80_000]) : 0;
  return { ms: dice.pick([1, 5_000, 20_000, 80_000]), jumpMs };
}

/** Most members are gone at once at one backend, perhaps at others too, and perhaps they come back. */
function createMassRemoval(dice: Dice, at: BackendId): readonly Step[] {
  const nodes = dice.some(NODES, 0.15);
  const steps: Step[] = [];
  if (dice.chance(0.3)) steps.push({ do: "members", at, nodes: NODES }, createWait(dice));
  steps.push({ do: "members", at, nodes });
  if (dice.chance(0.5)) steps.push(createWait(dice));
  if (dice.chance(0.4)) steps.push({ do: "members", at: dice.pick(BACKENDS), nodes });
  if (dice.chance(0.3)) steps.push({ do: "acceptRemovals" });
  if (dice.chance(0.5)) steps.push(createWait(dice), createMembers(dice, at));
  return steps;
}

/** A stand-by knows fewer members, or none, and takes over. */
function createPoorHeir(dice: Dice): readonly Step[] {
  const nodes = dice.some(NODES, 0.3);
  const steps: Step[] = [{ do: "members", at: "q", nodes }, ...createOutage(dice, "p")];
  if (dice.chance(0.5)) steps.push(createWait(dice));
  return steps;
}

/** The service starts while every backend is down. */
function createDarkStart(dice: Dice): readonly Step[] {
  const moods = BACKENDS.map((at): Step => {
    return { do: "mood", at, mood: dice.pick(["refusing", "hanging", "forbidding", "foreign"] as const) };
  });
  const steps: Step[] = [];
  if (dice.chance(0.6)) steps.push(createWait(dice));
  if (dice.chance(0.2)) steps.push(...createSnapshotFault(dice));
  steps.push(...moods, ...createRestart(dice), createWait(dice));
  if (dice.chance(0.5)) steps.push({ do: "block", node: dice.pick(NODES) });
  if (dice.chance(0.3)) steps.push(createWait(dice));
  if (dice.chance(0.3)) steps.push(createMembers(dice, "p"));
  const healed = dice.chance(0.4) ? [dice.pick(BACKENDS)] : BACKENDS;
  return [...steps, ...healed.map((at): Step => ({ do: "mood", at, mood: "well" }))];
}

function createSnapshotFault(dice: Dice): readonly Step[] {
  const fault = dice.weighted<SnapshotFault>([
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
