import { defineAdapter, type DefinedAdapter } from "@holdfast/core/adapter";
import {
  kubernetesParamsSchema,
  type KubernetesParams,
  type KubernetesSettings,
} from "./kubernetes-params.ts";
import { openEndpoints } from "./endpoints/open-endpoints.ts";
import { discoveryParamsSchema } from "./services/discovery-params.ts";
import { openDiscovery } from "./services/open-discovery.ts";
import { KubernetesShare } from "./sharing/kubernetes-share.ts";

/**
 * Creates a provider that reports the endpoints of a Kubernetes Service and watches them: `kubernetes({ service:
 * "orders" })`. `kubernetes.createAdapter()` returns the adapter for a configuration that uses the kind `kubernetes`.
 */
export const kubernetes: DefinedAdapter<KubernetesSettings, KubernetesParams> = defineAdapter({
  kind: "kubernetes",
  params: kubernetesParamsSchema,
  share: () => new KubernetesShare(),
  open: openEndpoints,
  discovery: { params: discoveryParamsSchema, values: ["namespace"], open: openDiscovery },
});
