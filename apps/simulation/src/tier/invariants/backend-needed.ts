import type { TierContext, TierInvariant } from "./tier-invariant.ts";

/** The health timeout of two daemons and a follower, one after the other, and a margin. */
const NOT_READY_MS = 60_000;
/** Then the limit for stale content of the other daemon has passed, and all tries have failed. */
const UNAVAILABLE_MS = 240_000;

/** Daemons whose backends are all lost do not keep each other, or a follower, ready. In the end their status is `unavailable`. */
export class BackendNeeded implements TierInvariant {
  readonly name = "backend-needed";
  readonly requirements = "R5.3 R7.4";
  readonly #context: TierContext;
  /** When the last backend was lost. */
  #lostAt: number | undefined;
  /** The same, or when a daemon was last started since then: it tries everything again. */
  #since = 0;
  #runs = 0;

  constructor(context: TierContext) {
    this.#context = context;
  }

  tick(): void {
    const { world, report } = this.#context;
    const daemons = [...world.daemons.values()];
    const now = world.clock.monotonic();
    const isAnyUp = daemons.some(({ backend, isUp }) => isUp && backend === "up");
    this.#lostAt = isAnyUp ? undefined : (this.#lostAt ?? now);
    const runs = daemons.reduce((sum, { run }) => sum + run, 0);
    if (isAnyUp || runs !== this.#runs) this.#since = now;
    this.#runs = runs;
    const lostMs = now - (this.#lostAt ?? now);
    if (lostMs < NOT_READY_MS) return;
    for (const { name, state } of daemons) {
      if (state?.status === "ready") report(`${name} is ready ${lostMs} ms after the last backend was lost`);
      if (now - this.#since > UNAVAILABLE_MS && state?.status === "degraded")
        report(`${name} is degraded ${lostMs} ms after the last backend was lost`);
    }
    for (const { name, followed } of world.followers.values()) {
      const { status } = followed[0]?.topology.state ?? {};
      if (status === "ready") report(`${name} is ready ${lostMs} ms after the last backend was lost`);
    }
  }
}
