/** The source of time. It is passed to everything that waits, so that tests and simulations control time. */
export interface Clock {
  /** Wall-clock milliseconds since 1970, for output to people. May jump. */
  now(): number;
  /** Monotonic milliseconds, for durations and timeouts. The origin is arbitrary. */
  monotonic(): number;
  /** Calls `task` once after `delayMs` (0 or less: as soon as possible), unless disposed of first. */
  schedule(delayMs: number, task: () => void): Disposable;
  /** Yields to the event loop once, so that long work in steps does not block other work. */
  yield(): Promise<void>;
}
