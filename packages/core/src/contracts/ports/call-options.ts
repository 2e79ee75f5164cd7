export type Awaitable<T> = T | PromiseLike<T>;

/** What every call of a port gets. */
export interface CallOptions {
  /**
   * Aborts when the call is past its deadline, when the bridge stops, or when its drain runs out of time. The call has failed
   * then, and the same may be called again: code that goes on must not apply anything any more.
   */
  readonly signal: AbortSignal;
}
