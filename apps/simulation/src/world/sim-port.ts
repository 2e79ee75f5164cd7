import type { PortCall } from "@holdfast/testing";
import { sleep, untilAborted, type Clock } from "@holdfast/core";
import type { PortBehaviour, PortName } from "../script/script.ts";
import type { Life } from "./life.ts";
import { seqNoOf, type PortRecord } from "./port-record.ts";
import { neverSettles } from "./never-settles.ts";

export interface SimPortOptions {
  readonly name: PortName;
  readonly clock: Clock;
  readonly onBegin: (record: PortRecord) => void;
  readonly onEnd: (record: PortRecord) => void;
}

/** Simulates the user code behind a port, which exists longer than the service: it works, is slow, fails or hangs. */
export class SimPort {
  readonly name: PortName;
  readonly #options: SimPortOptions;
  #behaviour: PortBehaviour = "well";
  /** Monotonic milliseconds. */
  behaviourSince = 0;
  #ms = 0;
  #crashedUntil = 0;
  #held = Promise.withResolvers<void>();
  #newestTick: PortRecord | undefined;

  constructor(options: SimPortOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** The last snapshot that it received. */
  get newestTick(): PortRecord | undefined {
    return this.#newestTick;
  }

  get behaviour(): PortBehaviour {
    return this.#behaviour;
  }

  /** Sets the behaviour. Calls that were held return when it no longer holds any. */
  setBehaviour(behaviour: PortBehaviour, ms = 0): void {
    this.#behaviour = behaviour;
    this.#ms = ms;
    this.behaviourSince = this.#options.clock.monotonic();
    this.#crashedUntil = this.#options.clock.monotonic() + ms;
    if (behaviour === "hanging" || behaviour === "stuck") return;
    this.#held.resolve();
    this.#held = Promise.withResolvers();
  }

  /** Executes one call. `work` is done once, at the end of a call that gets that far. */
  run<T>(call: PortCall, life: Life, signal: AbortSignal, work: () => T): T | Promise<T> {
    if (life.isCut) return neverSettles();
    const record: PortRecord = { call, life, seqNo: seqNoOf(call), signal, outcome: "pending" };
    if (call.method === "applySnapshot") this.#newestTick = record;
    this.#options.onBegin(record);
    const done = (): T => {
      // Code that runs past its deadline must not apply anything.
      if (signal.aborted) {
        this.#finish(record, "failed");
        throw new Error("the call was given up");
      }
      const result = work();
      this.#finish(record, "done");
      return result;
    };
    switch (this.#behaviour) {
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
    return life.isCut ? await neverSettles() : done();
  }

  async #hold<T>(record: PortRecord, done: () => T, life: Life, signal: AbortSignal | undefined): Promise<T> {
    try {
      await untilAborted(this.#held.promise, signal);
    } catch (error) {
      this.#finish(record, "failed");
      throw error;
    }
    return life.isCut ? await neverSettles() : done();
  }

  #reject(record: PortRecord): Promise<never> {
    this.#finish(record, "failed");
    // A port may throw anything.
    return Promise.reject(record.seqNo % 2 === 0 ? new Error("the port rejects") : "the port rejects");
  }

  #finish(record: PortRecord, outcome: "done" | "failed"): void {
    record.outcome = outcome;
    this.#options.onEnd(record);
  }
}
