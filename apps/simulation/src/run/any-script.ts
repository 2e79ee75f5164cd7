import { createScript } from "../script/create-script.ts";
import { describeScript } from "../script/describe-script.ts";
import { scriptSchema } from "../script/script-schema.ts";
import type { Script } from "../script/script.ts";
import { createTierScript } from "../tier/script/create-tier-script.ts";
import { describeTierScript } from "../tier/script/describe-tier-script.ts";
import { tierScriptSchema } from "../tier/script/tier-script-schema.ts";
import type { TierScript } from "../tier/script/tier-script.ts";

/** What is simulated: one service with its backends and ports, or daemons with their followers. */
export type WorldKind = "service" | "tier";

export type AnyScript = Script | TierScript;

export function isTierScript(script: AnyScript): script is TierScript {
  return "world" in script;
}

/** Creates the script of a seed, always the same one. */
export function createAnyScript(world: WorldKind, seed: number): AnyScript {
  return world === "tier" ? createTierScript(seed) : createScript(seed);
}

/** Describes the settings and every step, one line each. */
export function describeAnyScript(script: AnyScript): readonly string[] {
  return isTierScript(script) ? describeTierScript(script) : describeScript(script);
}

/** Throws an error of zod for anything that is not a script. */
export function parseAnyScript(value: unknown): AnyScript {
  const isTier = typeof value === "object" && value !== null && "world" in value;
  return isTier ? tierScriptSchema.parse(value) : scriptSchema.parse(value);
}
