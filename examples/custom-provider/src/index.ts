// For programs, `connect({ providers: [roster({ url })] })`, and for the configuration of `holdfast run`.
export { createAdapter, roster } from "./roster.ts";
export type { RosterParams } from "./roster-params.ts";
