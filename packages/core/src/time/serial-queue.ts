import { throwIfAborted } from "./abort.ts";
import { untilAborted } from "./until-aborted.ts";

/** Runs asynchronous tasks one at a time, in call order. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /**
   * Settles as `task` does. If the signal aborts while the task is waiting, the task is removed from the queue
   * (`LIFECYCLE_ABORTED`).
   */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let hasStarted = false;
    const turn = this.#tail.then(() => {
      throwIfAborted(signal);
      hasStarted = true;
      return task();
    });
    this.#tail = turn.catch(() => undefined);
    if (signal === undefined) return turn;
    // Once started, the task itself decides when to stop, because stopping midway could leave an inconsistent state.
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
