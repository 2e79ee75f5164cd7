import type { ProviderAdapter } from "@holdfast/core";
import { rosterParamsSchema, type RosterParams } from "./roster-params.ts";
import { RosterProvider } from "./roster-provider.ts";

/**
 * The adapter of kind `roster`. `holdfast run` calls this export with the folder of the configuration, `baseDir`, which an
 * adapter whose parameters hold paths resolves them against.
 */
export function createAdapter(): ProviderAdapter<RosterParams> {
  return {
    kind: "roster",
    params: rosterParamsSchema,
    create: (descriptor, context) => new RosterProvider(descriptor, context),
  };
}
