import { toAbortError, whenAborted } from "./abort.ts";

/**
 * Settles as `work` does, or rejects as soon as the signal aborts, whichever is first. After an abort the work is
 * abandoned, and its late rejection is ignored.
 */
export async function untilAborted<T>(work: PromiseLike<T> | T, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  using _ = whenAborted(signal, () => reject(toAbortError(signal)));
  return await Promise.race([work, promise]);
}
