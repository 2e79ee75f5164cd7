import { dropSteps } from "../../run/drop-steps.ts";
import type { TierScript, TierStep } from "../script/tier-script.ts";

export interface ShrinkTierOptions {
  /** Returns true when a script still causes the same violation. */
  readonly breaks: (script: TierScript) => Promise<boolean>;
}

const WAITS_MS = [1, 500, 2_000, 6_000, 16_000] as const;

/** Returns the shortest and simplest script it can find with the same violation. */
export async function shrinkTierScript(
  script: TierScript,
  { breaks }: ShrinkTierOptions,
): Promise<TierScript> {
  let best = script;
  const attempt = async (candidate: TierScript) => {
    const isBroken = await breaks(candidate);
    if (isBroken) best = candidate;
    return isBroken;
  };
  for (let size = Number.POSITIVE_INFINITY; JSON.stringify(best).length < size;) {
    size = JSON.stringify(best).length;
    await dropSteps(best.steps, async (steps) => attempt({ ...best, steps }));
    for (const index of best.steps.keys()) {
      for (const step of plainerSteps(best.steps[index]!)) {
        if (await attempt({ ...best, steps: best.steps.with(index, step) })) break;
      }
    }
    for (const setting of plainerSettings(best.setting)) await attempt({ ...best, setting });
  }
  return best;
}

function plainerSteps(step: TierStep): readonly TierStep[] {
  if (step.do === "wait") return WAITS_MS.filter((ms) => ms < step.ms).map((ms) => ({ ...step, ms }));
  if (step.do === "restart" && step.downMs > 0) return [{ ...step, downMs: 0 }];
  return [];
}

function plainerSettings(setting: TierScript["setting"]): readonly TierScript["setting"][] {
  const { followers } = setting;
  const fewer = followers.length > 1 ? followers.map((_, index) => followers.toSpliced(index, 1)) : [];
  return [
    ...fewer.map((left) => ({ ...setting, followers: left })),
    ...(setting.latencyMs > 0 ? [{ ...setting, latencyMs: 0 }] : []),
    ...(setting.retainedEvents < 1_000 ? [{ ...setting, retainedEvents: 1_000 }] : []),
  ];
}
