export { consulRegistrar } from "./consul-registrar.ts";
export type { ConsulHttpCheck, ConsulRegistrarParams } from "./consul-registrar-params.ts";
