// For the configuration of `holdfast run`, and for code.
export { createAdapter } from "./roster-adapter.ts";
export { rosterParamsSchema, type RosterParams } from "./roster-params.ts";
