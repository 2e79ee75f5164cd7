import { callIsolated } from "./call-isolated.ts";
import { toAbortError, throwIfAborted, whenAborted } from "./abort.ts";

/**
 * Reads like `for await`, but rejects like `untilAborted` as soon as the signal aborts. A source that ignores the
 * signal, or that hangs or fails when it is closed, is abandoned.
 */
export async function* readUntilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let isOver = false;
  let interrupt: ((reason: unknown) => void) | undefined;
  // Uses one listener for all reads, because adding a listener costs more than a read.
  using _ = whenAborted(signal, () => {
    // Deferred, so that an item that arrived before the abort is still read.
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
    // Does not await the source's cleanup; the source has already been signalled.
    if (!isOver) callIsolated(() => iterator.return?.());
  }
}
