import type { AdapterEnvironment, OpenProvider } from "@holdfast/core/adapter";
import { auditConsul } from "./http/audit-consul.ts";
import { ConsulClient, type ConsulSource } from "./http/consul-client.ts";
import type { ConsulSettings } from "./consul-params.ts";
import { probeConsul } from "./probe-consul.ts";
import { ServiceWatch } from "./watch/service-watch.ts";

/** A Consul service as a provider. Its watches ask `client`, which is disposed of with the provider. */
export function openConsul(
  environment: AdapterEnvironment<ConsulSettings>,
  client: ConsulSource & Disposable = new ConsulClient(environment.descriptor.params, environment.clock),
): OpenProvider {
  const { descriptor, clock, heartbeatMs } = environment;
  const { params } = descriptor;
  const newest = { index: 0 };
  return {
    /** Proves that a leader is known and that the token may read the service. */
    async probe({ signal }) {
      // A client of its own: the connections that a probe opens are closed with it.
      using probing = new ConsulClient(params, clock);
      await probeConsul({ client: probing, params, withinMs: heartbeatMs * 2, signal });
    },
    watch: ({ signal }) =>
      new ServiceWatch({ descriptor, context: environment, client, newest, signal }).events(),
    /** Lists the addresses to which the token is sent without TLS. */
    audit: async () => auditConsul(params),
    /** The token is looked at once a second. */
    untilRenewed: ({ signal }) => client.untilRenewed(signal),
    close: () => client[Symbol.dispose](),
  };
}
