/** Where time comes from. Everything that waits gets one from outside, so that tests and simulations own time. */
export interface Clock {
  /** Milliseconds since 1970, for what people read. May jump. */
  now(): number;
  /** Milliseconds that only go forward, for durations and timeouts. The origin means nothing. */
  monotonic(): number;
  /** Calls `task` once after `delayMs` (0 or less: as soon as possible) unless disposed of first. */
  schedule(delayMs: number, task: () => void): Disposable;
  /** Lets the event loop turn once, so that long work in steps does not starve anybody. */
  yield(): Promise<void>;
}
