import { fileAccess } from "@holdfast/core/adapter";

/** Occupies a path, as an operation on a network file system whose server is down. Ends when disposed of. */
export class HangingPath implements AsyncDisposable {
  readonly #end = Promise.withResolvers<void>();
  readonly #running: Promise<void>;

  constructor(path: string) {
    this.#running = fileAccess.run(path, () => this.#end.promise);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.resolve();
    await this.#running;
  }
}
