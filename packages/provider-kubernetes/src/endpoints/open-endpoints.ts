import type { AdapterEnvironment, OpenProvider } from "@holdfast/core/adapter";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import type { KubernetesShare } from "../sharing/kubernetes-share.ts";
import { EndpointSubscription } from "./endpoint-subscription.ts";

/**
 * Creates the provider for the EndpointSlices of a Service or of a label selector. Providers of one `share` use the same connections
 * and watches.
 */
export function openEndpoints(
  environment: AdapterEnvironment<KubernetesSettings>,
  share: KubernetesShare,
): OpenProvider {
  const { descriptor, clock, heartbeatMs } = environment;
  const { params } = descriptor;
  const lease = share.lease(params, clock);
  const cluster = lease.value;
  const subscription = new EndpointSubscription({ environment, cluster, share });
  const withinMs = Math.max(heartbeatMs * 2, 2_000);
  return {
    probe: ({ signal }) => cluster.probe(subscription.probeTarget, { withinMs, signal }),
    watch: ({ signal }) => subscription.events(signal),
    audit: ({ signal }) => cluster.audit(signal),
    close() {
      subscription[Symbol.dispose]();
      lease[Symbol.dispose]();
    },
  };
}
