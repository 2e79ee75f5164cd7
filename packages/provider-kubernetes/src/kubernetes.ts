import { defineAdapter, type DefinedAdapter } from "@holdfast/core/adapter";
import {
  kubernetesParamsSchema,
  type KubernetesParams,
  type KubernetesSettings,
} from "./kubernetes-params.ts";
import { openKubernetes } from "./open-kubernetes.ts";

/**
 * A provider that reports the endpoints of a Kubernetes Service, and watches them: `kubernetes({ service: "orders" })`. For a
 * configuration that names the kind `kubernetes`, `kubernetes.createAdapter()` gives the adapter.
 */
export const kubernetes: DefinedAdapter<KubernetesSettings, KubernetesParams> = defineAdapter({
  kind: "kubernetes",
  params: kubernetesParamsSchema,
  open: (environment) => openKubernetes(environment),
});
