import { runTierScript } from "../tier/run/run-tier-script.ts";
import { shrinkTierScript } from "../tier/run/shrink-tier-script.ts";
import { isTierScript, type AnyScript } from "./any-script.ts";
import { runScript, type RunOptions, type RunOutcome } from "./run-script.ts";
import { shrinkScript } from "./shrink-script.ts";

/** Runs a script to an orderly stop, or to the first violation. */
export function runAnyScript(script: AnyScript, options?: RunOptions): Promise<RunOutcome> {
  return isTierScript(script) ? runTierScript(script, options) : runScript(script, options);
}

/** Returns the shortest script it can find that violates the same invariant. */
export function shrinkAnyScript(script: AnyScript, invariant: string): Promise<AnyScript> {
  const breaks = async (candidate: AnyScript) =>
    (await runAnyScript(candidate)).violation?.invariant === invariant;
  return isTierScript(script) ? shrinkTierScript(script, { breaks }) : shrinkScript(script, { breaks });
}
