import { untilAborted } from "@holdfast/core";

interface RunningCall {
  readonly result: Promise<unknown>;
  readonly stop: AbortController;
  users: number;
  isOver: boolean;
}

/**
 * Lets several users wait for the result of one call. A call that starts while another one with the same key is running
 * joins it. A user that aborts leaves the others undisturbed; the call is aborted when its last user has left.
 */
export class SharedCalls {
  readonly #running = new Map<string, RunningCall>();

  /** Calls with the same key must have results of the same type. Rejects as the call does, or when `signal` aborts. */
  async run<T>(key: string, call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const running = this.#running.get(key) ?? this.#start(key, call);
    running.users++;
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key determines the type of the result
      return (await untilAborted(running.result, signal)) as T;
    } finally {
      running.users--;
      // An abort creates an error, which nothing needs after the end of the call.
      if (running.users === 0 && !running.isOver) {
        this.#remove(key, running);
        running.stop.abort();
      }
    }
  }

  #start(key: string, call: (signal: AbortSignal) => Promise<unknown>): RunningCall {
    const stop = new AbortController();
    const result = call(stop.signal);
    const running: RunningCall = { result, stop, users: 0, isOver: false };
    this.#running.set(key, running);
    const end = () => {
      running.isOver = true;
      // A user that comes after the end of the call needs a new one.
      this.#remove(key, running);
    };
    result.then(end, end);
    return running;
  }

  #remove(key: string, running: RunningCall): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}
