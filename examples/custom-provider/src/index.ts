// Programs use `connect({ providers: [roster({ url })] })`. The configuration of `holdfast run` uses `createAdapter`.
export { createAdapter, roster } from "./roster.ts";
export type { RosterParams } from "./roster-params.ts";
