import { sleep, systemClock } from "@holdfast/core";

const PATIENCE_MS = 30_000;

/** Tries again until it resolves; gives up after half a minute with its last error. */
export async function eventually<T>(work: () => T | Promise<T>): Promise<T> {
  const startedAt = systemClock.monotonic();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (systemClock.monotonic() - startedAt > PATIENCE_MS) throw error;
      await sleep(50, { clock: systemClock });
    }
  }
}
