export { kubernetesRegistrar, type KubernetesRegistrar } from "./kubernetes-registrar.ts";
export type { KubernetesRegistrarParams } from "./kubernetes-registrar-params.ts";
export type { Readiness, ReadinessState } from "./readiness.ts";
