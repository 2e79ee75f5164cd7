import type { ProviderAdapter } from "@holdfast/core";
import { consulParamsSchema, type ConsulProviderParams } from "./consul-params.ts";
import { ConsulProvider } from "./consul-provider.ts";

/** The adapter of kind `consul`: its providers report the healthy instances of a Consul service, and watch it. */
export function createConsulAdapter(): ProviderAdapter<ConsulProviderParams> {
  return {
    kind: "consul",
    params: consulParamsSchema,
    create: (descriptor, context) => new ConsulProvider(descriptor, context),
  };
}
