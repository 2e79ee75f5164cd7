import { BackendNeeded } from "./backend-needed.ts";
import { BoundedLogs } from "./bounded-logs.ts";
import { BoundedRequests } from "./bounded-requests.ts";
import { EqualWhenHealed } from "./equal-when-healed.ts";
import { GaplessFollowerLog } from "./gapless-follower-log.ts";
import { NeverEmpty } from "./never-empty.ts";
import { NoGoingBack } from "./no-going-back.ts";
import { NothingLeft } from "./nothing-left.ts";
import type { TierContext, TierInvariant } from "./tier-invariant.ts";
import { TruthInTime } from "./truth-in-time.ts";

/** All invariants of daemons and followers. */
export const TIER_INVARIANTS: readonly ((context: TierContext) => TierInvariant)[] = [
  (context) => new TruthInTime(context),
  (context) => new NeverEmpty(context),
  (context) => new NoGoingBack(context),
  (context) => new GaplessFollowerLog(context),
  (context) => new BackendNeeded(context),
  (context) => new BoundedRequests(context),
  (context) => new BoundedLogs(context),
  (context) => new EqualWhenHealed(context),
  (context) => new NothingLeft(context),
];
