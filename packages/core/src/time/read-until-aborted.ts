import { callIsolated } from "./call-isolated.ts";
import { toAbortError, throwIfAborted, whenAborted } from "./abort.ts";

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
