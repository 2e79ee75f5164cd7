import type { TierObserver } from "../world/tier-observer.ts";
import type { TierWorld } from "../world/tier-world.ts";

export interface TierContext {
  readonly world: TierWorld;
  /** Reports a violation. Only the first one of a run counts. */
  readonly report: (message: string) => void;
}

/** Something that must be true of daemons and followers in every run. */
export interface TierInvariant extends TierObserver {
  readonly name: string;
  /** The requirements that it checks. */
  readonly requirements: string;
}
