import { GaplessLog } from "./gapless-log.ts";
import type { CreateInvariant } from "./invariant.ts";

/** All of them, checked in every run. */
export const INVARIANTS: readonly CreateInvariant[] = [(context) => new GaplessLog(context)];
