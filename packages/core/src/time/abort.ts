import { callIsolated } from "./call-isolated.ts";
import type { Clock } from "./clock.ts";
import { isProvisioningError, ProvisioningError } from "../errors/provisioning-error.ts";

/** The error an aborted wait rejects with: the signal's own reason when it is ours, else `LIFECYCLE_ABORTED`. */
export function toAbortError(signal: AbortSignal): ProvisioningError {
  const reason: unknown = signal.reason;
  if (isProvisioningError(reason)) return reason;
  return new ProvisioningError("LIFECYCLE_ABORTED", "the wait was aborted", { cause: reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw toAbortError(signal);
}

/** Calls `onAbort` once: now if the signal has aborted, else when it does, unless disposed of first. */
export function whenAborted(signal: AbortSignal | undefined, onAbort: () => void): Disposable {
  if (signal === undefined) return { [Symbol.dispose]() {} };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", onAbort) };
}

/**
 * Settles as `work` does, or rejects as soon as the signal aborts, whichever is first. Work that loses the race is left
 * to itself; its late rejection is swallowed.
 */
export async function untilAborted<T>(work: PromiseLike<T> | T, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  using _ = whenAborted(signal, () => reject(toAbortError(signal)));
  return await Promise.race([work, promise]);
}

/**
 * Reads as `for await` does, but rejects as `untilAborted` does as soon as the signal aborts. A source that ignores the
 * signal, or that hangs or fails as it is closed, is left to itself.
 */
export async function* readUntilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let isOver = false;
  let interrupt: ((reason: unknown) => void) | undefined;
  // One listener for all reads: a listener costs more than a read.
  using _ = whenAborted(signal, () => {
    // Not at once: what has come before the abort is still read.
    queueMicrotask(() => interrupt?.(toAbortError(signal!)));
  });
  try {
    for (;;) {
      throwIfAborted(signal);
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T>>();
      interrupt = reject;
      Promise.resolve(iterator.next()).then(resolve, reject);
      const next = await promise;
      isOver = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // It was told to stop, and that has to do.
    if (!isOver) callIsolated(() => iterator.return?.());
  }
}

export interface SleepOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** Waits `delayMs` on the clock. Rejects as soon as the signal aborts, and then leaves no timer behind. */
export async function sleep(delayMs: number, options: SleepOptions): Promise<void> {
  throwIfAborted(options.signal);
  const { promise, resolve } = Promise.withResolvers<void>();
  using _ = options.clock.schedule(delayMs, resolve);
  await untilAborted(promise, options.signal);
}

export interface Deadline extends Disposable {
  /** Aborts with the error given when time is up, or with the outer signal. */
  readonly signal: AbortSignal;
}

export interface DeadlineOptions extends SleepOptions {
  /** Milliseconds from now. */
  readonly afterMs: number;
  readonly error: () => ProvisioningError;
}

/** A signal that aborts by itself when time is up. Dispose of it when the work is done. */
export function createDeadline(options: DeadlineOptions): Deadline {
  const controller = new AbortController();
  const timer = options.clock.schedule(options.afterMs, () => controller.abort(options.error()));
  const outer = whenAborted(options.signal, () => controller.abort(options.signal?.reason));
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      outer[Symbol.dispose]();
    },
  };
}
