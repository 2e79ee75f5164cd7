import type { Clock } from "@holdfast/core";

/** The facts that identify one content of a file at one moment. */
export interface FileMoment {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mtimeNs: bigint;
}

/**
 * Measures for how long files have not been touched. What was observed counts, on the monotonic clock, so that a jump of
 * the wall clock makes no file old.
 */
export class LastTouch {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { readonly moment: string; readonly since: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns for how long this file has been observed without a touch, in milliseconds; 0 at the first observation. */
  observe(name: string, { dev, ino, mtimeNs }: FileMoment): number {
    const at = this.#clock.monotonic();
    const moment = `${dev}:${ino}:${mtimeNs}`;
    const seen = this.#seen.get(name);
    if (seen?.moment === moment) return at - seen.since;
    this.#seen.set(name, { moment, since: at });
    return 0;
  }

  /** Forgets all files but these. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
  }
}
