export { WatchHub, type WatchHubOptions } from "./watch-hub.ts";
