// For users of a Consul service.
export { consul } from "./consul.ts";
export type { ConsulParams, ConsulSettings, NodeIdRule } from "./consul-params.ts";
