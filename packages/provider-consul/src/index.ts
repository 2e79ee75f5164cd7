// For users of a Consul service.
export { createConsulAdapter } from "./consul-adapter.ts";
export type { ConsulProviderParams, ConsulTls, NodeIdRule } from "./consul-params.ts";
