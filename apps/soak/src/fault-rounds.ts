import { sleep, systemClock, type Random } from "@holdfast/core";
import type { Backend } from "./backend.ts";
import { allFaults, fewestFaults, nameOf, shuffle, type PlannedFault } from "./fault-plan.ts";
import { lengthOf, type SoakPace } from "./soak-pace.ts";
import { Tally } from "./tally.ts";

/** In so long every fault of every backend comes once. */
const ROUND_MS = 300_000;

export interface FaultRoundsOptions {
  readonly backends: readonly Backend[];
  readonly random: Random;
  readonly pace: SoakPace;
  readonly onFault: (name: string) => void;
}

/** One fault after another, each followed by a time in which all is well. */
export class FaultRounds {
  readonly #options: FaultRoundsOptions;
  /** What was done: name → how often. */
  readonly done: Tally = new Tally();

  constructor(options: FaultRoundsOptions) {
    this.#options = options;
  }

  /**
   * Goes on until `durationMs` are over: every fault once in five minutes; in a shorter run every kind once, with one of the
   * backends. Whatever happens, all servers work again afterwards.
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
      // In the middle of its share, so that two are never close together.
      const at = startedAt + (index + 0.5) * shareMs - lengthMs / 2;
      await sleep(at - systemClock.monotonic(), { clock: systemClock, signal });
      onFault(nameOf(planned));
      await inflict(planned, lengthMs, signal);
      this.done.add(nameOf(planned));
    }
    await sleep(startedAt + roundMs - systemClock.monotonic(), { clock: systemClock, signal });
  }
}

async function inflict(
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
