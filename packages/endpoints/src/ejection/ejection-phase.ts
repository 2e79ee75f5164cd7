import type { Random } from "@holdfast/core";
import type { EjectionCause } from "./ejection-cause.ts";
import type { EjectionSettings } from "./ejection-options.ts";

/** A member that is used. `tries` is the number of ejections that it has not yet made up for. */
interface In {
  readonly kind: "in";
  readonly tries: number;
  /** Since then it has not been ejected, or its tries have not been reduced; monotonic milliseconds. */
  readonly since: number;
}

/** A member that is not used. */
interface Out {
  readonly kind: "out";
  /** 1 for the first ejection. */
  readonly tries: number;
  readonly since: number;
  readonly until: number;
  readonly cause: EjectionCause;
}

/** A member that was ejected, and gets a few calls. */
interface Probing {
  readonly kind: "probing";
  readonly tries: number;
  readonly since: number;
  readonly successes: number;
  /** The cause of the ejection. */
  readonly cause: EjectionCause;
}

export type EjectionPhase = In | Out | Probing;

export const NEVER_EJECTED: In = { kind: "in", tries: 0, since: 0 };

/** The longest part of an ejection that is left out by chance, so that many clients do not return at once. */
const JITTER = 0.2;

type Times = Pick<EjectionSettings, "ejectMs" | "maxEjectMs" | "probeSuccesses">;

/** Each ejection lasts twice as long as the one before, up to `maxEjectMs`, minus a random part of up to a fifth. Pure. */
export function eject(
  phase: EjectionPhase,
  cause: EjectionCause,
  now: number,
  { ejectMs, maxEjectMs }: Times,
  random: Random,
): Out {
  const tries = phase.tries + 1;
  const fullMs = Math.min(ejectMs * 2 ** (tries - 1), maxEjectMs);
  return { kind: "out", tries, since: now, until: now + fullMs * (1 - JITTER * random()), cause };
}

/** Begins to probe an ejected member. Pure. */
export function probe({ tries, cause }: Out, now: number): Probing {
  return { kind: "probing", tries, since: now, successes: 0, cause };
}

/**
 * The phase after a successful call: enough of them end the probing, and each `ejectMs` without an ejection makes up for
 * one try. Pure.
 */
export function succeed(
  phase: EjectionPhase,
  now: number,
  { ejectMs, probeSuccesses }: Times,
): EjectionPhase {
  const { kind, tries } = phase;
  if (kind === "out") return phase;
  if (kind === "probing") {
    const successes = phase.successes + 1;
    return successes < probeSuccesses ? { ...phase, successes } : { kind: "in", tries, since: now };
  }
  return tries === 0 || now - phase.since < ejectMs ? phase : { kind, tries: tries - 1, since: now };
}

/** How many of these members may be ejected at once: at least one, but never all. Pure. */
export function maxEjected(members: number, maxShare: number): number {
  return Math.max(0, Math.min(members - 1, Math.max(1, Math.floor(members * maxShare))));
}
