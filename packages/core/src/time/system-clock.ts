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
  yield: () =>
    typeof setImmediate === "function" ? new Promise((resolve) => setImmediate(resolve)) : postTurn(),
};

/** A turn of the event loop in a browser, which has no `setImmediate`; a timer would take 4 ms. */
function postTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.addEventListener("message", () => resolve(port1.close()), { once: true });
    port1.start();
    port2.postMessage(undefined);
  });
}
