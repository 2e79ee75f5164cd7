/** The modification time of a file, and when it was read. */
export interface Sighting {
  /** The modification time, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Wall-clock milliseconds of the reading. */
  readonly now: number;
  /** Monotonic milliseconds of the reading. */
  readonly at: number;
  /** Monotonic milliseconds of the reading before; undefined at the first one. */
  readonly previousAt: number | undefined;
}

/**
 * Decides whether the process that touches a file still lives. After the first sighting, only changes of the modification
 * time count, measured on the monotonic clock: a jump of the wall clock neither ends a lease nor prolongs it by more than
 * the time between two readings.
 */
export class Lease {
  #mtimeNs: bigint | undefined;
  /** Monotonic milliseconds at which the file was last touched. */
  #touchedAt = -Infinity;

  see({ mtimeNs, now, at, previousAt = -Infinity }: Sighting): void {
    if (mtimeNs === this.#mtimeNs) return;
    this.#mtimeNs = mtimeNs;
    const ageMs = Math.max(0, now - Number(mtimeNs) / 1e6);
    // A file that changed was touched after the previous reading.
    const earliest = this.#touchedAt === -Infinity ? -Infinity : previousAt;
    this.#touchedAt = Math.max(earliest, at - ageMs);
  }

  /** Milliseconds from the monotonic time `at` until the lease ends; 0 or less when it has ended. */
  leftMs(ttlMs: number, at: number): number {
    return this.#touchedAt + ttlMs - at;
  }
}
