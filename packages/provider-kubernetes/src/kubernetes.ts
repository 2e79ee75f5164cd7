import { defineAdapter, type DefinedAdapter } from "@holdfast/core/adapter";
import {
  kubernetesParamsSchema,
  type KubernetesParams,
  type KubernetesSettings,
} from "./kubernetes-params.ts";
import { openKubernetes } from "./open-kubernetes.ts";

/**
 * Creates a provider that reports the endpoints of a Kubernetes Service and watches them: `kubernetes({ service:
 * "orders" })`. `kubernetes.createAdapter()` returns the adapter for a configuration that uses the kind `kubernetes`.
 */
export const kubernetes: DefinedAdapter<KubernetesSettings, KubernetesParams> = defineAdapter({
  kind: "kubernetes",
  params: kubernetesParamsSchema,
  open: (environment) => openKubernetes(environment),
});
