import type { AdapterEnvironment, OpenProvider } from "@holdfast/core/adapter";
import { auditConsul } from "./http/audit-consul.ts";
import { ConsulClient, type ConsulSource } from "./http/consul-client.ts";
import type { ConsulSettings } from "./consul-params.ts";
import { probeConsul } from "./probe-consul.ts";
import { ServiceWatch } from "./watch/service-watch.ts";

/**
 * Creates the provider of one Consul service. Its watches send requests with `client`, which is disposed of with the
 * provider.
 */
export function openConsul(
  environment: AdapterEnvironment<ConsulSettings>,
  client: ConsulSource & Disposable = new ConsulClient(environment.descriptor.params, environment.clock),
): OpenProvider {
  const { descriptor, clock, heartbeatMs } = environment;
  const { params } = descriptor;
  const newest = { index: 0 };
  return {
    /** Checks that Consul has a leader and that the token may read the service. */
    async probe({ signal }) {
      // Uses a separate client, so that the connections of the probe are closed when it ends.
      using probing = new ConsulClient(params, clock);
      await probeConsul({ client: probing, params, withinMs: heartbeatMs * 2, signal });
    },
    watch: ({ signal }) =>
      new ServiceWatch({ descriptor, context: environment, client, newest, signal }).events(),
    /** Lists the addresses to which the token is sent without TLS. */
    audit: async () => auditConsul(params),
    /** Reads the token once per second. */
    untilRenewed: ({ signal }) => client.untilRenewed(signal),
    close: () => client[Symbol.dispose](),
  };
}
