import { sleep, systemClock, type Random } from "@holdfast/core";
import type { Backend } from "./backend.ts";
import { allFaults, fewestFaults, nameOf, shuffle, type PlannedFault } from "./fault-plan.ts";
import { lengthOf, type SoakPace } from "./soak-pace.ts";
import { Tally } from "./tally.ts";

/** Within this many milliseconds every fault of every backend occurs once. */
const ROUND_MS = 300_000;

export interface FaultRoundsOptions {
  readonly backends: readonly Backend[];
  readonly random: Random;
  readonly pace: SoakPace;
  readonly onFault: (name: string) => void;
}

/** Causes one fault after another, each followed by a period without faults. */
export class FaultRounds {
  readonly #options: FaultRoundsOptions;
  /** The faults that have ended: counts by name. */
  readonly done: Tally = new Tally();

  constructor(options: FaultRoundsOptions) {
    this.#options = options;
  }

  /**
   * Causes faults for `durationMs`: every fault once in five minutes; in a shorter run every kind of fault once, on one
   * of the backends. All servers work again when it returns or rejects.
   */
  async run(durationMs: number, signal: AbortSignal): Promise<void> {
    const { backends, random } = this.#options;
    const isShort = durationMs < ROUND_MS;
    for (let leftMs = durationMs; leftMs > 0; leftMs -= ROUND_MS) {
      const all = isShort ? fewestFaults(backends, random) : allFaults(backends);
      const roundMs = Math.min(ROUND_MS, durationMs);
      const count = Math.ceil((all.length * Math.min(leftMs, roundMs)) / roundMs);
      await this.#round(shuffle(all, random).slice(0, count), Math.min(leftMs, roundMs), signal);
    }
  }

  async #round(faults: readonly PlannedFault[], roundMs: number, signal: AbortSignal): Promise<void> {
    const { pace, onFault } = this.#options;
    const startedAt = systemClock.monotonic();
    const shareMs = roundMs / faults.length;
    for (const [index, planned] of faults.entries()) {
      const lengthMs = lengthOf(planned.kind, pace);
      // In the middle of its share of the time, so that two faults are never close together.
      const at = startedAt + (index + 0.5) * shareMs - lengthMs / 2;
      await sleep(at - systemClock.monotonic(), { clock: systemClock, signal });
      onFault(nameOf(planned));
      await applyFault(planned, lengthMs, signal);
      this.done.add(nameOf(planned));
    }
    await sleep(startedAt + roundMs - systemClock.monotonic(), { clock: systemClock, signal });
  }
}

async function applyFault(
  { kind, backends }: PlannedFault,
  lengthMs: number,
  signal: AbortSignal,
): Promise<void> {
  const faults = backends.flatMap(({ faults: able }) => able.get(kind) ?? []);
  try {
    await Promise.all(faults.map(async (fault) => fault.begin()));
    await sleep(lengthMs, { clock: systemClock, signal });
  } finally {
    await Promise.all(faults.map(async (fault) => fault.end()));
  }
}
