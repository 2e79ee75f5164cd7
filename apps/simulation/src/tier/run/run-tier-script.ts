import { collectUnhandledRejections } from "@holdfast-apps/test-support";
import type { RunOptions, RunOutcome, Violation } from "../../run/run-script.ts";
import { TIER_INVARIANTS } from "../invariants/tier-invariants.ts";
import { describeTierStep } from "../script/describe-tier-script.ts";
import type { TierScript } from "../script/tier-script.ts";
import { takeTierStep } from "../world/take-tier-step.ts";
import { TierWorld } from "../world/tier-world.ts";
import { closeTier, healTier } from "./heal-tier.ts";

/** Runs a script of daemons and followers to its end, or to the first violation. */
export async function runTierScript(script: TierScript, options: RunOptions = {}): Promise<RunOutcome> {
  const run = new TierRun(script, options.keepTrace ?? false);
  const rejections = await collectUnhandledRejections(() => run.play());
  if (rejections.length > 0) run.report("no-unhandled-rejection", "R5.5", String(rejections[0]));
  return run.outcome();
}

class TierRun {
  readonly #script: TierScript;
  readonly #world: TierWorld;
  #step = 0;
  #violation: Violation | undefined;

  constructor(script: TierScript, keepsTrace: boolean) {
    this.#script = script;
    const world = (this.#world = new TierWorld(script, keepsTrace));
    for (const create of TIER_INVARIANTS) {
      const report = (message: string) => this.report(invariant.name, invariant.requirements, message);
      const invariant = create({ world, report });
      world.observers.push(invariant);
    }
  }

  report(invariant: string, requirements: string, message: string): void {
    if (this.#violation !== undefined) return;
    const atMs = this.#world.clock.monotonic();
    this.#world.trace.write(`VIOLATION ${invariant}: ${message}`);
    this.#violation = { invariant, requirements, message, step: this.#step, atMs };
  }

  async play(): Promise<void> {
    const world = this.#world;
    const isOver = () => this.#violation !== undefined;
    world.start();
    await world.clock.settle();
    for (const [index, step] of this.#script.steps.entries()) {
      if (isOver()) break;
      this.#step = index;
      world.trace.write(`# ${describeTierStep(step)}`);
      await takeTierStep(step, world, isOver);
      await world.clock.settle();
      world.check();
    }
    this.#step = this.#script.steps.length;
    if (!isOver()) await healTier(world, isOver);
    await closeTier(world);
  }

  outcome(): RunOutcome {
    const { trace, clock, events } = this.#world;
    return {
      seed: this.#script.seed,
      violation: this.#violation,
      digest: trace.digest(),
      lines: trace.lines,
      virtualMs: clock.monotonic(),
      events,
    };
  }
}
