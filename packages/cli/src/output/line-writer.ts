import type { Writable } from "node:stream";
import { SerialQueue, type Clock } from "@holdfast/core";
import { inTurns } from "./in-turns.ts";

/** Called when a stream fails and when it works again. */
export interface LineWriterListener {
  /** A line could not be written, and the line before it could, or there was none. */
  onFailed?(failure: WriteFailure): void;
  /** A line was written after `dropped` lines could not be. */
  onRecovered?(dropped: number): void;
}

export interface WriteFailure {
  /** The operating system's error code, for example `ENOSPC`. */
  readonly code: string;
  /** True when the reader has closed the stream, as after `| head`. */
  readonly isReaderGone: boolean;
}

/** Maximum number of lines that wait for a slow reader. Further lines are dropped. */
const MAX_WAITING = 1_000;

/**
 * Writes whole lines in order to a stream that may be slow, full or closed by its reader. For a slow reader it waits. A
 * line that cannot be written is dropped and counted, and the next line is tried again.
 */
export class LineWriter {
  readonly #stream: Writable;
  readonly #clock: Clock;
  readonly #listener: LineWriterListener;
  readonly #lines: SerialQueue = new SerialQueue();
  #waiting = 0;
  #failure: WriteFailure | undefined;
  #isTorn = false;
  #dropped = 0;
  #reported = 0;

  constructor(stream: Writable, clock: Clock, listener: LineWriterListener = {}) {
    this.#stream = stream;
    this.#clock = clock;
    this.#listener = listener;
    // The callback of each write reports its failure. Without this listener the event would end the process.
    stream.on("error", () => {});
  }

  /** The current failure; undefined when the newest line was written. */
  get failure(): WriteFailure | undefined {
    return this.#failure;
  }

  /** Total number of dropped lines. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves once the line is passed to the operating system or dropped. Does not reject. */
  async write(line: string | Iterable<string>): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return void this.#dropped++;
    this.#waiting++;
    try {
      await this.#lines.run(() => this.#writeLine(typeof line === "string" ? [line] : line));
    } finally {
      this.#waiting--;
    }
  }

  /** Resolves when every line so far is written or dropped. */
  async flush(): Promise<void> {
    await this.#lines.run(async () => {});
  }

  async #writeLine(pieces: Iterable<string>): Promise<void> {
    // Ends a truncated line first, so that only that line is unreadable.
    let text = this.#isTorn ? "\n" : "";
    let isBegun = false;
    for await (const piece of inTurns(pieces, "\n", this.#clock)) {
      text += piece;
      const failure = await this.#writeText(text);
      if (failure !== undefined) return this.#drop(failure, isBegun);
      text = "";
      isBegun = true;
    }
    this.#recover();
  }

  #drop(failure: WriteFailure, isBegun: boolean): void {
    const isFirst = this.#failure === undefined;
    this.#dropped++;
    this.#failure ??= failure;
    // A full disk may accept the start of a text.
    this.#isTorn ||= isBegun || !failure.isReaderGone;
    if (isFirst) this.#listener.onFailed?.(failure);
  }

  #recover(): void {
    const dropped = this.#dropped - this.#reported;
    this.#failure = undefined;
    this.#isTorn = false;
    this.#reported = this.#dropped;
    if (dropped > 0) this.#listener.onRecovered?.(dropped);
  }

  async #writeText(text: string): Promise<WriteFailure | undefined> {
    const { promise, resolve } = Promise.withResolvers<Error | null | undefined>();
    this.#stream.write(text, resolve);
    const error = await promise;
    if (error === null || error === undefined) return undefined;
    const code = "code" in error ? String(error.code) : "unknown";
    return { code, isReaderGone: GONE.has(code) };
  }
}

const GONE: ReadonlySet<string> = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"]);
