import { throwIfAborted } from "./abort.ts";
import { untilAborted } from "./until-aborted.ts";

/** Runs asynchronous tasks one at a time, in the order they came. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Settles as `task` does. A signal that aborts while the task waits its turn takes it out (`LIFECYCLE_ABORTED`). */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let hasStarted = false;
    const turn = this.#tail.then(() => {
      throwIfAborted(signal);
      hasStarted = true;
      return task();
    });
    this.#tail = turn.catch(() => undefined);
    if (signal === undefined) return turn;
    // Once started, the task itself decides when to stop: half-way out is nobody's state.
    const started = this.#whenStarted(turn, () => hasStarted, signal);
    return started;
  }

  async #whenStarted<T>(turn: Promise<T>, hasStarted: () => boolean, signal: AbortSignal): Promise<T> {
    try {
      return await untilAborted(turn, signal);
    } catch (error) {
      if (hasStarted()) return turn;
      throw error;
    }
  }
}
