import { sleep, systemClock } from "@holdfast/core";

const MAX_WAIT_MS = 30_000;

/** Calls `work` until it resolves; after half a minute rejects with its last error. */
export async function eventually<T>(work: () => T | Promise<T>): Promise<T> {
  const startedAt = systemClock.monotonic();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (systemClock.monotonic() - startedAt > MAX_WAIT_MS) throw error;
      await sleep(50, { clock: systemClock });
    }
  }
}
