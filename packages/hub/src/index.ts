export { createEpoch } from "./epoch.ts";
export type {
  ExplainOptions,
  ExplainRule,
  NodeChangePoint,
  NodeExplanation,
  NodeStanding,
  NodeView,
} from "./explain-node.ts";
export { SnapshotKeeper, type SnapshotKeeperOptions } from "./snapshot-keeper.ts";
export { WatchHub } from "./watch-hub.ts";
export type { HubStartOptions, WatchHubOptions } from "./watch-hub-options.ts";
