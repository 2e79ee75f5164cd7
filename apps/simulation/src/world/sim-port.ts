import type { PortCall } from "@holdfast/testing";
import { sleep, untilAborted, type Clock } from "@holdfast/core";
import type { PortMood, PortName } from "../script/script.ts";
import type { Life } from "./life.ts";
import { seqNoOf, type PortRecord } from "./port-record.ts";
import { never } from "./never.ts";

export interface SimPortOptions {
  readonly name: PortName;
  readonly clock: Clock;
  readonly onBegin: (record: PortRecord) => void;
  readonly onEnd: (record: PortRecord) => void;
}

/** The user's code behind a port, which outlives the service: it works, is slow, fails or hangs as its mood is. */
export class SimPort {
  readonly name: PortName;
  readonly #options: SimPortOptions;
  #mood: PortMood = "well";
  /** Monotonic milliseconds. */
  moodSince = 0;
  #ms = 0;
  #crashedUntil = 0;
  #held = Promise.withResolvers<void>();
  #newestTick: PortRecord | undefined;

  constructor(options: SimPortOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** The last snapshot it was handed. */
  get newestTick(): PortRecord | undefined {
    return this.#newestTick;
  }

  get mood(): PortMood {
    return this.#mood;
  }

  /** Calls that were held are answered when it no longer holds any. */
  setMood(mood: PortMood, ms = 0): void {
    this.#mood = mood;
    this.#ms = ms;
    this.moodSince = this.#options.clock.monotonic();
    this.#crashedUntil = this.#options.clock.monotonic() + ms;
    if (mood === "hanging" || mood === "stuck") return;
    this.#held.resolve();
    this.#held = Promise.withResolvers();
  }

  /** Makes one call. `work` is done once, at the end of a call that gets that far. */
  run<T>(call: PortCall, life: Life, signal: AbortSignal, work: () => T): T | Promise<T> {
    if (life.isCut) return never();
    const record: PortRecord = { call, life, seqNo: seqNoOf(call), signal, outcome: "pending" };
    if (call.method === "applySnapshot") this.#newestTick = record;
    this.#options.onBegin(record);
    const done = (): T => {
      // Code that goes on past its deadline applies nothing any more.
      if (signal.aborted) {
        this.#finish(record, "failed");
        throw new Error("the call was given up");
      }
      const result = work();
      this.#finish(record, "done");
      return result;
    };
    switch (this.#mood) {
      case "well":
        return done();
      case "throwing":
        this.#finish(record, "failed");
        throw new Error("the port throws");
      case "rejecting":
        return this.#reject(record);
      case "forgetful":
        work();
        return this.#reject(record);
      case "crashed":
        return this.#options.clock.monotonic() < this.#crashedUntil ? this.#reject(record) : done();
      case "slow":
        return this.#slowly(done, life, this.#ms);
      case "hanging":
        return this.#hold(record, done, life, signal);
      default:
        return this.#hold(record, done, life, undefined);
    }
  }

  async #slowly<T>(done: () => T, life: Life, ms: number): Promise<T> {
    await sleep(ms, { clock: this.#options.clock });
    return life.isCut ? await never() : done();
  }

  async #hold<T>(record: PortRecord, done: () => T, life: Life, signal: AbortSignal | undefined): Promise<T> {
    try {
      await untilAborted(this.#held.promise, signal);
    } catch (error) {
      this.#finish(record, "failed");
      throw error;
    }
    return life.isCut ? await never() : done();
  }

  #reject(record: PortRecord): Promise<never> {
    this.#finish(record, "failed");
    // What a port throws may be anything.
    return Promise.reject(record.seqNo % 2 === 0 ? new Error("the port rejects") : "the port rejects");
  }

  #finish(record: PortRecord, outcome: "done" | "failed"): void {
    record.outcome = outcome;
    this.#options.onEnd(record);
  }
}
