import type { Clock } from "./clock.ts";

/** The real time of this process. Only this file uses the platform's timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, task) {
    // A delay beyond 2^31-1 ms would fire at once, because Node's timers change it to 1 ms.
    const timer = setTimeout(task, Math.min(Math.max(delayMs, 0), 2_147_483_647));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};
