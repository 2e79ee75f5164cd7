import { dropSteps } from "./drop-steps.ts";
import type { LifeSetting, ProviderSpec, Script, Setting, Step } from "../script/script.ts";

export interface ShrinkOptions {
  /** Returns true when a script still causes the same violation. */
  readonly breaks: (script: Script) => Promise<boolean>;
  /** Maximum number of scripts to try. @defaultValue 800 */
  readonly budget?: number | undefined;
}

/** Common settings. A setting that is not relevant gets its common value. */
const PLAIN: Omit<Setting, "providers"> = {
  standby: "warm",
  timeoutMs: 15_000,
  maxErrors: 3,
  cooldownMs: 10_000,
  lateSnapshotMs: 5_000,
  backoffInitialMs: 2_000,
  backoffMaxMs: 30_000,
  probe: "warn",
  suppressAfter: 3,
  suppressMs: 60_000,
  callTimeoutMs: 10_000,
  callTries: 10,
  marks: "metadata",
  lives: [{}],
};

/**
 * Returns the shortest and simplest script it can find with the same violation: removes steps, then simplifies waits,
 * sets and settings.
 */
export async function shrinkScript(script: Script, options: ShrinkOptions): Promise<Script> {
  return new Shrinking(script, options).run();
}

class Shrinking {
  readonly #breaks: (script: Script) => Promise<boolean>;
  #best: Script;
  #left: number;

  constructor(script: Script, { breaks, budget = 800 }: ShrinkOptions) {
    this.#best = script;
    this.#breaks = breaks;
    this.#left = budget;
  }

  async run(): Promise<Script> {
    for (let length = Number.POSITIVE_INFINITY; this.#size < length && this.#left > 0;) {
      length = this.#size;
      await dropSteps(this.#best.steps, (steps) => this.#try({ ...this.#best, steps }));
      await this.#simplifySteps();
      await this.#simplifySetting();
    }
    return this.#best;
  }

  /** Smaller is better. */
  get #size(): number {
    return JSON.stringify(this.#best).length;
  }

  async #try(candidate: Script): Promise<boolean> {
    if (this.#left <= 0) return false;
    this.#left--;
    const isBroken = await this.#breaks(candidate);
    if (isBroken) this.#best = candidate;
    return isBroken;
  }

  async #simplifySteps(): Promise<void> {
    for (let index = 0; index < this.#best.steps.length; index++) {
      for (const plainer of plainerSteps(this.#best.steps[index]!)) {
        const isTaken = await this.#try({ ...this.#best, steps: this.#best.steps.with(index, plainer) });
        if (isTaken) break;
      }
    }
  }

  async #simplifySetting(): Promise<void> {
    for (const name of Object.keys(PLAIN)) {
      const { setting } = this.#best;
      const plainer = { ...setting, ...Object.fromEntries([[name, Reflect.get(PLAIN, name)]]) };
      if (Reflect.get(setting, name) !== Reflect.get(PLAIN, name))
        await this.#try({ ...this.#best, setting: plainer });
    }
    for (const lives of plainerLives(this.#best.setting.lives)) {
      await this.#try({ ...this.#best, setting: { ...this.#best.setting, lives } });
    }
    for (const providers of plainerSets(this.#best.setting.providers)) {
      await this.#try({ ...this.#best, setting: { ...this.#best.setting, providers } });
    }
  }
}

function plainerSteps(step: Step): readonly Step[] {
  switch (step.do) {
    case "wait":
      return [1, 1_000, 5_000, 10_000, 20_000, 60_000]
        .filter((ms) => ms < step.ms)
        .map((ms) => ({ ...step, ms }));
    case "reload":
      return [
        ...(step.abortAfterMs === undefined ? [] : [{ do: "reload" as const, set: step.set }]),
        ...plainerSets(step.set).map((set) => ({ ...step, set })),
      ];
    case "members":
      return step.nodes.map((_, index) => ({ ...step, nodes: step.nodes.toSpliced(index, 1) }));
    case "restart":
    case "kill": {
      const { away, ...plain } = step;
      if (away === undefined) return [];
      return away.jumpMs === 0 ? [plain] : [plain, { ...plain, away: { ...away, jumpMs: 0 } }];
    }
    case "jump":
      return [Math.sign(step.ms)].filter((ms) => ms !== step.ms).map((ms) => ({ ...step, ms }));
    default:
      return [];
  }
}

function plainerLives(lives: readonly LifeSetting[]): readonly (readonly LifeSetting[])[] {
  const fewer = lives.length > 1 ? lives.map((life) => [life]) : [];
  const plainer = lives.flatMap((life, index) =>
    Object.keys(life).map((name) => lives.with(index, { ...life, [name]: undefined })),
  );
  return [...fewer, ...plainer];
}

function plainerSets(set: readonly ProviderSpec[]): readonly (readonly ProviderSpec[])[] {
  const shorter = set.map((_, index) => set.toSpliced(index, 1));
  const plainer = set.map((spec, index) =>
    set.with(index, { id: spec.id, priority: spec.priority, variant: 0 }),
  );
  return [...shorter, ...plainer.filter((one) => JSON.stringify(one) !== JSON.stringify(set))];
}
