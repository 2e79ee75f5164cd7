export type Awaitable<T> = T | PromiseLike<T>;

/** What every call of a port gets. */
export interface CallOptions {
  /** Aborts when the bridge stops or its drain runs out of time. The call is then left to itself. */
  readonly signal: AbortSignal;
}
