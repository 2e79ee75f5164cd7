import type { Endpoint } from "../endpoint.ts";
import type { CallOutcome } from "../call-report.ts";
import type { PickRequest } from "./target.ts";

/** One call to one endpoint. */
export interface PickedCall extends Disposable {
  readonly endpoint: Endpoint;
  /**
   * Ends the call, exactly once: further calls have no effect. Until then it counts as in flight. `latencyMs` is measured
   * from the pick if it is left out. Disposal is `done("cancelled")`.
   */
  done(outcome: CallOutcome, latencyMs?: number): void;
}

/** Chooses an endpoint for each call. Created by `Endpoints.picker`. */
export interface Picker {
  /**
   * Returns an endpoint for one new call, or `undefined` when none may be used now: `Endpoints.refusal()` gives the reason.
   * Without a reason there, the request excludes all endpoints, or the only ones left are being probed.
   */
  pick(request?: PickRequest): PickedCall | undefined;
}
