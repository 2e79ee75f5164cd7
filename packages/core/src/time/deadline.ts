import type { ProvisioningError } from "../errors/provisioning-error.ts";
import type { SleepOptions } from "./sleep.ts";
import { whenAborted } from "./abort.ts";

export interface Deadline extends Disposable {
  /** Aborts with the given error at the deadline, or with the outer signal. */
  readonly signal: AbortSignal;
}

export interface DeadlineOptions extends SleepOptions {
  /** Milliseconds from now. */
  readonly afterMs: number;
  readonly error: () => ProvisioningError;
}

/** Creates a signal that aborts at a deadline. Dispose of it when the work is done. */
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
