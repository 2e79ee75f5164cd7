import { closeSync, constants, openSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { makeNamedPipe } from "./make-named-pipe.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

/** More threads than libuv has by default. */
const THREADS = 8;

/**
 * Makes every asynchronous file operation of this process hang, as on a network file system whose server is down: each
 * thread of libuv's pool opens a named pipe without a writer. Ends when disposed of.
 */
export class WedgedThreadPool implements AsyncDisposable {
  readonly #folder = new TemporaryFolder();
  readonly #pipe: string = this.#folder.at("pipe");
  readonly #opening: readonly Promise<FileHandle>[];

  constructor() {
    makeNamedPipe(this.#pipe);
    this.#opening = Array.from({ length: THREADS }, () => open(this.#pipe, constants.O_RDONLY));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Opening the pipe for reading and writing does not block, and provides the writer that the others wait for.
    const writer = openSync(this.#pipe, constants.O_RDWR);
    for (const handle of await Promise.all(this.#opening)) await handle.close();
    closeSync(writer);
    this.#folder[Symbol.dispose]();
  }
}
