export { follow, type FollowOptions } from "./follow.ts";
export { FollowedTopology, type FollowedSnapshotOptions } from "./followed-topology.ts";
export { holdfast } from "./holdfast.ts";
export type { HoldfastParams } from "./holdfast-params.ts";
export type { Transport, TransportRequest, TransportResponse } from "./transport.ts";
