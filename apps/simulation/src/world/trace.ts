import { createHash } from "node:crypto";
import type { Clock } from "@holdfast/core";

/** What happened, line by line: kept whole when wanted, and always as a hash. */
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

  /** To be called once. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}
