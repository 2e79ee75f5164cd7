// For users of a Kubernetes cluster.
export { createKubernetesAdapter } from "./kubernetes-adapter.ts";
export type { KubernetesProviderParams } from "./kubernetes-params.ts";
