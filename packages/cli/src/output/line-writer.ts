import type { Writable } from "node:stream";
import { SerialQueue, untilAborted, type Clock } from "@holdfast/core";
import { inTurns } from "./in-turns.ts";

const MAX_WAITING = 1_000;

/**
 * Writes whole lines, one after the other, to a stream that may be slow or go away. A slow reader is waited for: a bounded
 * number of lines waits with it and further ones are dropped. A reader that is gone (`| head`) ends the writing quietly.
 */
export class LineWriter implements Disposable {
  readonly #stream: Writable;
  readonly #clock: Clock;
  readonly #lines: SerialQueue = new SerialQueue();
  readonly #gone: AbortController = new AbortController();
  readonly #onGone: () => void = () => this.#gone.abort();
  #waiting = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  readonly #onDrain: () => void = () => this.#drained?.resolve();

  constructor(stream: Writable, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.on("error", this.#onGone);
    stream.on("close", this.#onGone);
    stream.on("drain", this.#onDrain);
  }

  /** Aborts when nobody reads any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves once the line is handed over, or never will be. Does not reject. */
  async write(line: string | Iterable<string>): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting++;
    try {
      await this.#lines.run(() => this.#writePieces(typeof line === "string" ? [line] : line));
    } finally {
      this.#waiting--;
    }
  }

  /** Resolves when every line written so far is with the operating system, or the reader is gone. */
  async flush(): Promise<void> {
    await this.#lines.run(async () => {});
    if (this.#gone.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stream.write("", () => resolve());
    await untilAborted(promise, this.#gone.signal).catch(() => {});
  }

  /** Lets go of the stream, but for its errors: a late one must not end the process. */
  [Symbol.dispose](): void {
    this.#stream.off("close", this.#onGone);
    this.#stream.off("drain", this.#onDrain);
  }

  async #writePieces(pieces: Iterable<string>): Promise<void> {
    for await (const text of inTurns(pieces, "\n", this.#clock)) await this.#writeText(text);
  }

  async #writeText(text: string): Promise<void> {
    if (this.#gone.signal.aborted) return;
    this.#drained = Promise.withResolvers();
    if (this.#stream.write(text)) return;
    await untilAborted(this.#drained.promise, this.#gone.signal).catch(() => {});
  }
}
