import { isDeepStrictEqual } from "node:util";
import type { TopologyDefinition } from "./topology-definition.ts";

/** Settings that a running topology cannot change. */
const SETTINGS = ["health", "guards", "validation", "lastKnownGood", "retainedEvents"] as const;

/** What differs between two definitions of a topology: nothing, only its providers, or settings that need a restart of the topology. */
export function compareDefinitions(
  before: TopologyDefinition,
  after: TopologyDefinition,
): "same" | "providers" | "settings" {
  const isSame =
    before.ports === after.ports &&
    before.calls === after.calls &&
    SETTINGS.every((name) => isDeepStrictEqual(before[name], after[name]));
  if (!isSame) return "settings";
  // A stored set may have been changed by another process.
  if (after.providers === undefined) return "providers";
  return isDeepStrictEqual(before.providers, after.providers) ? "same" : "providers";
}
