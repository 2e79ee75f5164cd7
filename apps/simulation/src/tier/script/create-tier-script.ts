import { createSeededRandom } from "@holdfast/testing";
import { ScriptRandom } from "../../script/script-random.ts";
import {
  BACKEND_STATES,
  CUTS,
  DAEMONS,
  FOLLOWERS,
  LINK_STATES,
  type BackendState,
  type DaemonName,
  type FollowerSetting,
  type LinkState,
  type Place,
  type TierScript,
  type TierSetting,
  type TierStep,
} from "./tier-script.ts";

const NODES = ["c", "d", "e", "f", "g"] as const;
const WAITS_MS = [1, 50, 500, 2_000, 6_000, 16_000, 40_000, 120_000] as const;

/** Creates the script of a seed, always the same one. */
export function createTierScript(seed: number): TierScript {
  const random = new ScriptRandom(createSeededRandom(seed));
  const setting = createSetting(random);
  const length = 8 + random.below(28);
  const places: readonly Place[] = [...DAEMONS, ...FOLLOWERS.slice(0, setting.followers.length)];
  const steps = Array.from({ length }, () => createStep(random, places));
  return { world: "tier", seed, setting, steps };
}

function createSetting(random: ScriptRandom): TierSetting {
  const count = 1 + random.below(FOLLOWERS.length);
  return {
    followers: Array.from({ length: count }, () => createFollower(random)),
    latencyMs: random.weighted([
      [3, 0],
      [3, 5],
      [2, 400],
    ]),
    retainedEvents: random.pick([3, 1_000]),
    standby: random.weighted([
      [3, "warm"],
      [1, "cold"],
    ]),
  };
}

function createFollower(random: ScriptRandom): FollowerSetting {
  const daemons: readonly DaemonName[] = random.pick([["a", "b"], ["b", "a"], ["a"], ["b"]]);
  return { daemons, isMany: random.chance(0.3), keepsSnapshot: random.chance(0.4) };
}

function createStep(random: ScriptRandom, places: readonly Place[]): TierStep {
  const at = random.pick(DAEMONS);
  const create = random.weighted<() => TierStep>([
    [26, () => ({ do: "wait", ms: random.pick(WAITS_MS) })],
    [24, () => ({ do: "change", nodes: random.some(NODES) })],
    [12, () => ({ do: "backend", at, is: pickBackendState(random) })],
    [7, () => ({ do: "backends", is: random.pick(BACKEND_STATES) })],
    [10, () => ({ do: "link", ...pickLink(random, places), is: pickLinkState(random) })],
    [8, () => ({ do: "cut", ...pickLink(random, places), how: random.pick(CUTS) })],
    [5, () => ({ do: "corrupt", at })],
    [4, () => ({ do: "putAside", at })],
    [6, () => createRestart(random, at)],
    [3, () => ({ do: "restartFollower", at: random.pick(FOLLOWERS) })],
    [3, () => ({ do: "block", at, node: random.pick(NODES) })],
    [2, () => ({ do: "restore", at, node: random.pick(NODES) })],
  ]);
  return create();
}

function createRestart(random: ScriptRandom, at: DaemonName): TierStep {
  const kept = random.weighted([
    [2, "newest"],
    [3, "aside"],
    [1, "none"],
  ] as const);
  return { do: "restart", at, downMs: random.pick([0, 0, 100, 3_000, 20_000]), kept };
}

function pickBackendState(random: ScriptRandom): BackendState {
  return random.weighted([
    [5, "refusing"],
    [2, "hanging"],
    [4, "up"],
  ]);
}

function pickLinkState(random: ScriptRandom): LinkState {
  return random.weighted([[4, "up"], ...LINK_STATES.slice(1).map((state) => [2, state] as const)]);
}

function pickLink(
  random: ScriptRandom,
  places: readonly Place[],
): { readonly from: Place; readonly to: DaemonName } {
  const from = random.pick(places);
  const to = random.pick(DAEMONS.filter((daemon) => daemon !== from));
  return { from, to };
}
