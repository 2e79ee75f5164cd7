import type { ProviderAdapter } from "@holdfast/core";
import { kubernetesParamsSchema, type KubernetesProviderParams } from "./kubernetes-params.ts";
import { KubernetesProvider } from "./kubernetes-provider.ts";

/** The adapter of kind `kubernetes`: its providers report the endpoints of a Service, and watch them. */
export function createKubernetesAdapter(): ProviderAdapter<KubernetesProviderParams> {
  return {
    kind: "kubernetes",
    params: kubernetesParamsSchema,
    create: (descriptor, context) => new KubernetesProvider(descriptor, context),
  };
}
