import type { AdapterEnvironment, OpenProvider } from "@holdfast/core/adapter";
import { ApiClient, type EndpointSource } from "./access/api-client.ts";
import { auditAccess } from "./access/audit-access.ts";
import { probeCluster } from "./access/probe-cluster.ts";
import type { KubernetesSettings } from "./kubernetes-params.ts";
import { EndpointWatch } from "./watch/endpoint-watch.ts";
import { WatchMemory } from "./watch/watch-memory.ts";

/**
 * Creates the provider for the EndpointSlices of a Service or of a label selector. Its watches send requests with
 * `client`, which is disposed of with the provider.
 */
export function openKubernetes(
  environment: AdapterEnvironment<KubernetesSettings>,
  client: EndpointSource & Disposable = new ApiClient(environment.descriptor.params, environment.clock),
): OpenProvider {
  const { descriptor, clock, heartbeatMs } = environment;
  const { params } = descriptor;
  const memory = new WatchMemory(clock);
  return {
    /** Checks that this account may list and watch. */
    async probe({ signal }) {
      // Uses a separate client, so that the connections of the probe are closed when it ends.
      using probing = new ApiClient(params, clock);
      await probeCluster({ client: probing, withinMs: Math.max(heartbeatMs * 2, 2_000), signal });
    },
    watch: ({ signal }) =>
      new EndpointWatch({ descriptor, context: environment, client, memory, signal }).events(),
    /** Reads the kubeconfig. */
    audit: ({ signal }) => auditAccess(params, signal),
    close: () => client[Symbol.dispose](),
  };
}
