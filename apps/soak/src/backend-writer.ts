import { sleep, systemClock } from "@holdfast/core";
import type { Backend } from "./backend.ts";

const RETRY_MS = 500;

/**
 * Brings one backend to what the population says. A server that is frozen or gone hears of it later: what failed is kept and
 * written again.
 */
export class BackendWriter {
  readonly backend: Backend;
  /** Writes that failed, because the server did not answer. */
  failures = 0;
  #changed = new Set<number>();
  #writing: Promise<void> | undefined;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** These places changed. Begins to write unless a write is under way. */
  push(places: Iterable<number>, signal: AbortSignal): void {
    for (const place of places) this.#changed.add(place);
    this.#writing ??= this.#write(signal).finally(() => (this.#writing = undefined));
    // What it fails with is told by `flush`.
    this.#writing.catch(() => undefined);
  }

  /** Resolves once the backend has everything. */
  async flush(signal: AbortSignal): Promise<void> {
    while (this.#writing !== undefined || this.#changed.size > 0) {
      if (this.#writing === undefined) this.push([], signal);
      await this.#writing;
    }
  }

  async #write(signal: AbortSignal): Promise<void> {
    while (this.#changed.size > 0) {
      const changed = this.#changed;
      this.#changed = new Set();
      try {
        await this.backend.write(changed);
      } catch {
        this.failures++;
        for (const place of changed) this.#changed.add(place);
        await sleep(RETRY_MS, { clock: systemClock, signal });
      }
    }
  }
}
