export { SnapshotKeeper, type SnapshotKeeperOptions } from "./snapshot-keeper.ts";
export { WatchHub, type WatchHubOptions } from "./watch-hub.ts";
