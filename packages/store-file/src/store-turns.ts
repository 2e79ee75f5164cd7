import { SerialQueue } from "@holdfast/core";
import { toStoreError } from "./store-error.ts";

/** Runs the calls of one store one at a time, in call order. Converts the errors they throw with `toStoreError`. */
export class StoreTurns {
  readonly #file: string;
  readonly #setting: string | undefined;
  readonly #queue: SerialQueue = new SerialQueue();

  constructor(file: string, setting: string | undefined) {
    this.#file = file;
    this.#setting = setting;
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      try {
        return await task();
      } catch (error) {
        throw toStoreError(error, this.#file, this.#setting);
      }
    });
  }
}
