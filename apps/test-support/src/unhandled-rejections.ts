/**
 * Runs `body` and gives what was rejected meanwhile without anybody handling it. Other listeners of the process are set
 * aside until then: a runner's own would fail the whole run where only this test should fail.
 */
export async function collectUnhandledRejections(body: () => Promise<void>): Promise<readonly unknown[]> {
  const others = process.listeners("unhandledRejection");
  const collected: unknown[] = [];
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => collected.push(reason));
  try {
    await body();
    // Node tells of them once the microtasks of a turn are done.
    // oxlint-disable-next-line no-restricted-globals -- a turn of the event loop, not a wait
    await new Promise((resolve) => void setImmediate(resolve));
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) process.on("unhandledRejection", listener);
  }
  return collected;
}
