import { BRIDGE_MUTANTS } from "./bridge-mutants.ts";
import { FAILOVER_MUTANTS } from "./failover-mutants.ts";
import { GUARD_MUTANTS } from "./guard-mutants.ts";
import { HUB_MUTANTS } from "./hub-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { OUTSIDE_MUTANTS } from "./outside-mutants.ts";
import { REGISTRY_MUTANTS } from "./registry-mutants.ts";
import { TIER_MUTANTS } from "./tier-mutants.ts";
import type { WorldKind } from "../run/any-script.ts";

/** All bugs that the simulation must find. */
export const MUTANTS: readonly Mutant[] = [
  ...FAILOVER_MUTANTS,
  ...GUARD_MUTANTS,
  ...HUB_MUTANTS,
  ...BRIDGE_MUTANTS,
  ...REGISTRY_MUTANTS,
  ...OUTSIDE_MUTANTS,
  ...TIER_MUTANTS,
];

/** The simulation that must find the bug. */
export function worldOf(mutant: Mutant): WorldKind {
  return TIER_MUTANTS.includes(mutant) ? "tier" : "service";
}
