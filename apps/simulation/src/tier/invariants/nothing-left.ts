import type { TierContext, TierInvariant } from "./tier-invariant.ts";

/** When everything was closed no timer and no connection is left. */
export class NothingLeft implements TierInvariant {
  readonly name = "nothing-left";
  readonly requirements = "R3.5 R7.4";
  readonly #context: TierContext;

  constructor(context: TierContext) {
    this.#context = context;
  }

  followersClosed(): void {
    const { world, report } = this.#context;
    for (const name of world.followers.keys()) {
      for (const daemon of world.daemons.keys()) {
        const open = world.link(name, daemon).openConnections;
        if (open > 0) report(`${name} has ${open} connections to ${daemon}`);
      }
    }
  }

  closed(): void {
    const { world, report } = this.#context;
    if (world.clock.pendingTimers > 0) report(`${world.clock.pendingTimers} timers are left`);
  }
}
