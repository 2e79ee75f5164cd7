export type Awaitable<T> = T | PromiseLike<T>;

/** Passed to every call of a port. */
export interface CallOptions {
  /**
   * Aborts when the call exceeds its deadline, when the bridge stops, or when its drain runs out of time. The call then
   * counts as failed, and may be repeated: code that is still running must not apply anything after that.
   */
  readonly signal: AbortSignal;
}
