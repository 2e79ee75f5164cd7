import { ENDPOINT_SLICES, type WatchTarget } from "../access/watch-target.ts";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import { SERVICE_LABEL } from "./slice-form.ts";

/** The EndpointSlices of the Service or label selector of the parameters. */
export function ownSlicesOf(params: KubernetesSettings): WatchTarget {
  const { service, selector } = params;
  return toTarget(params, selector ?? `${SERVICE_LABEL}=${service}`);
}

/** The EndpointSlices of all Services in the namespaces of the parameters. */
export function allSlicesOf(params: KubernetesSettings): WatchTarget {
  return toTarget(params, SERVICE_LABEL);
}

function toTarget(params: KubernetesSettings, labelSelector: string): WatchTarget {
  const { namespace, allNamespaces, pageSize, watchTimeoutMs, maxBytes } = params;
  return {
    resource: ENDPOINT_SLICES,
    namespace,
    allNamespaces,
    labelSelector,
    pageSize,
    watchTimeoutMs,
    maxBytes,
  };
}
