import { defineAdapter, type DefinedAdapter } from "@holdfast/core/adapter";
import { consulParamsSchema, type ConsulParams, type ConsulSettings } from "./consul-params.ts";
import { ConsulAgents } from "./agent/consul-agents.ts";
import { discoveryParamsSchema } from "./discovery/discovery-params.ts";
import { openDiscovery } from "./discovery/open-discovery.ts";
import { openConsul } from "./open-consul.ts";

/**
 * Creates a provider that reports the healthy instances of a Consul service and watches it: `consul({ service: "orders"
 * })`. `consul.createAdapter()` returns the adapter for a configuration that uses the kind `consul`.
 */
export const consul: DefinedAdapter<ConsulSettings, ConsulParams> = defineAdapter({
  kind: "consul",
  params: consulParamsSchema,
  share: () => new ConsulAgents(),
  open: openConsul,
  discovery: { params: discoveryParamsSchema, open: openDiscovery },
});
