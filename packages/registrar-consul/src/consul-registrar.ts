import type { Registrar } from "@holdfast/core";
import { defineRegistrar } from "@holdfast/core/adapter";
import {
  consulRegistrarParamsSchema,
  type ConsulRegistrarParams,
  type ConsulRegistrarSettings,
} from "./consul-registrar-params.ts";
import { ConsulRegistration } from "./consul-registration.ts";

/** Announces this process at the Consul agent of its machine: `consulRegistrar({ service: "orders" })`. */
export const consulRegistrar: (params: ConsulRegistrarParams) => Registrar = defineRegistrar<
  ConsulRegistrarSettings,
  ConsulRegistrarParams
>({
  kind: "consul",
  params: consulRegistrarParamsSchema,
  open: (environment) => new ConsulRegistration(environment),
});
