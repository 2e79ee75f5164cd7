// For users of a Consul service.
export { consul } from "./consul.ts";
export type {
  AccessParams,
  AccessSettings,
  ConsulParams,
  ConsulSettings,
  NodeIdRule,
} from "./consul-params.ts";
export type { DiscoveryParams, DiscoverySettings } from "./discovery/discovery-params.ts";
