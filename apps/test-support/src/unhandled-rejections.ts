/**
 * Runs `body` and returns the reasons of rejections that were not handled in the meantime. The other listeners of the process are removed
 * until then, because the listener of the test runner would fail the whole run instead of one test.
 */
export async function collectUnhandledRejections(body: () => Promise<void>): Promise<readonly unknown[]> {
  const others = process.listeners("unhandledRejection");
  const collected: unknown[] = [];
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => collected.push(reason));
  try {
    await body();
    // Node reports them after the microtasks of a turn.
    // oxlint-disable-next-line no-restricted-globals -- a turn of the event loop, not a wait
    await new Promise((resolve) => void setImmediate(resolve));
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) process.on("unhandledRejection", listener);
  }
  return collected;
}
