import { defineAdapter, type DefinedAdapter } from "@holdfast/core/adapter";
import { consulParamsSchema, type ConsulParams, type ConsulSettings } from "./consul-params.ts";
import { openConsul } from "./open-consul.ts";

/**
 * A provider that reports the healthy instances of a Consul service, and watches it: `consul({ service: "orders" })`. For a
 * configuration that names the kind `consul`, `consul.createAdapter()` gives the adapter.
 */
export const consul: DefinedAdapter<ConsulSettings, ConsulParams> = defineAdapter({
  kind: "consul",
  params: consulParamsSchema,
  open: (environment) => openConsul(environment),
});
