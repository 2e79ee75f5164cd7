export { follow } from "./following/follow.ts";
export type { FollowDaemonOptions, FollowManyOptions, FollowOptions } from "./following/follow-options.ts";
export { FollowedDirectory } from "./following/followed-directory.ts";
export { FollowedTopology, type FollowedSnapshotOptions } from "./following/followed-topology.ts";
export type { Transport, TransportRequest, TransportResponse } from "./connection/transport.ts";
