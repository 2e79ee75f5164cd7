// For users of a Kubernetes cluster.
export { kubernetes } from "./kubernetes.ts";
export type { KubernetesOptions, KubernetesParams, KubernetesSettings } from "./kubernetes-params.ts";
