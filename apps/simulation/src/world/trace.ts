import { createHash } from "node:crypto";
import type { Clock } from "@holdfast/core";

/** The trace of a run, line by line. It is kept if requested, and always hashed. */
export class Trace {
  readonly lines: string[] = [];
  readonly #clock: Clock;
  readonly #isKept: boolean;
  readonly #hash = createHash("sha256");
  #count = 0;

  constructor(clock: Clock, isKept: boolean) {
    this.#clock = clock;
    this.#isKept = isKept;
  }

  get count(): number {
    return this.#count;
  }

  write(text: string): void {
    const line = `${this.#clock.monotonic().toFixed(3)} ${text}`;
    this.#count++;
    this.#hash.update(line).update("\n");
    if (this.#isKept) this.lines.push(line);
  }

  /** Must be called only once. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}
