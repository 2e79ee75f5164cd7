import { sleep, systemClock } from "@holdfast/core";
import type { Backend } from "./backend.ts";

const RETRY_MS = 500;

/**
 * Writes the changes of the population to one backend. When a write fails because the server is frozen or stopped, its
 * places are kept and written again later.
 */
export class BackendWriter {
  readonly backend: Backend;
  /** Writes that failed because the server did not respond. */
  failures = 0;
  #changed = new Set<number>();
  #writing: Promise<void> | undefined;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Records that these places changed, and starts writing unless a write is already running. */
  push(places: Iterable<number>, signal: AbortSignal): void {
    for (const place of places) this.#changed.add(place);
    this.#writing ??= this.#write(signal).finally(() => (this.#writing = undefined));
    // `flush` reports the error.
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
