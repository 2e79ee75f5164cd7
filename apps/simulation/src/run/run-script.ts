import { collectUnhandledRejections } from "@holdfast-apps/test-support";
import { KnownGoodModel } from "../invariants/known-good-model.ts";
import { PortModel } from "../invariants/port-model.ts";
import { INVARIANTS } from "../invariants/invariants.ts";
import type { Script, Step } from "../script/script.ts";
import { describeStep } from "../script/describe-script.ts";
import { takeStep } from "../world/take-step.ts";
import { World } from "../world/world.ts";
import { heal } from "./heal.ts";

/** A violated invariant, and when. */
export interface Violation {
  readonly invariant: string;
  readonly requirements: string;
  readonly message: string;
  /** The number of the current step, from 0. The number of steps means: after the last one. */
  readonly step: number;
  /** Virtual milliseconds since the start. */
  readonly atMs: number;
}

export interface RunOutcome {
  readonly seed: number;
  /** The first violation. */
  readonly violation: Violation | undefined;
  /** SHA-256 of all lines of the trace. */
  readonly digest: string;
  readonly lines: readonly string[];
  readonly virtualMs: number;
  /** Number of log events of all lives. */
  readonly events: number;
}

export interface RunOptions {
  /** @defaultValue false */
  readonly keepTrace?: boolean | undefined;
}

const FINAL_DEADLINE_MS = 10_000;
/** A service that fails to start stops by itself, with the default deadline. */
const FAILED_START_DEADLINE_MS = 10_000;

/** Runs a script to an orderly stop, or to the first violation. */
export async function runScript(script: Script, options: RunOptions = {}): Promise<RunOutcome> {
  const run = new Run(script, options.keepTrace ?? false);
  const rejections = await collectUnhandledRejections(() => run.play());
  if (rejections.length > 0) run.report("no-unhandled-rejection", "R5.5", String(rejections[0]));
  return run.outcome();
}

class Run {
  readonly #script: Script;
  readonly #world: World;
  #step = 0;
  #violation: Violation | undefined;

  constructor(script: Script, keepTrace: boolean) {
    this.#script = script;
    const world = (this.#world = new World(script, keepTrace));
    const knownGood = new KnownGoodModel();
    const ports = new PortModel(world);
    world.observers.push(knownGood, ports);
    for (const create of INVARIANTS) {
      const report = (message: string) => this.report(invariant.name, invariant.requirements, message);
      const invariant = create({ world, knownGood, ports, report });
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
    world.beginLife();
    await this.#settle();
    for (const [index, step] of this.#script.steps.entries()) {
      if (this.#violation !== undefined) break;
      this.#step = index;
      await this.#take(step);
    }
    this.#step = this.#script.steps.length;
    if (this.#violation === undefined) await heal(world, () => this.#settle());
    if (this.#violation === undefined) await world.stopLife(FINAL_DEADLINE_MS);
    // Nothing that a violation left behind may outlive the run.
    for (const life of world.lives) life.cut();
    await world.clock.settle();
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

  async #take(step: Step): Promise<void> {
    const world = this.#world;
    world.trace.write(`# ${describeStep(step)}`);
    await takeStep(step, world);
    await this.#settle();
  }

  /** Waits until nothing is in progress, then checks everything. */
  async #settle(): Promise<void> {
    const world = this.#world;
    await world.clock.settle();
    if (world.life.hasFailedToStart) {
      await world.stopLife(FAILED_START_DEADLINE_MS);
      world.beginLife();
      await world.clock.settle();
    }
    const { life } = world;
    if (!life.isUp) return;
    for (const observer of world.observers) observer.stepDone?.(life);
  }
}
