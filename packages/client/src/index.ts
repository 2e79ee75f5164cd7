export { follow, type FollowOptions } from "./following/follow.ts";
export { FollowedTopology, type FollowedSnapshotOptions } from "./following/followed-topology.ts";
export type { Transport, TransportRequest, TransportResponse } from "./connection/transport.ts";
