import type { TierContext, TierInvariant } from "./tier-invariant.ts";

const WINDOW_MS = 60_000;
/** Failures with a backoff of up to 2, 4, 8, ... seconds, some of them at once. */
const MAX_REQUESTS = 60;

/** No process sends requests to a daemon repeatedly without a pause. */
export class BoundedRequests implements TierInvariant {
  readonly name = "bounded-requests";
  readonly requirements = "R7.5";
  readonly #context: TierContext;

  constructor(context: TierContext) {
    this.#context = context;
  }

  tick(): void {
    const { world, report } = this.#context;
    const since = world.clock.monotonic() - WINDOW_MS;
    for (const { requestedAt } of world.links) {
      const from = requestedAt.findIndex((at) => at >= since);
      if (from < 0) continue;
      requestedAt.splice(0, from);
      if (requestedAt.length > MAX_REQUESTS)
        report(`${requestedAt.length} requests on one link within ${WINDOW_MS} ms`);
    }
  }
}
