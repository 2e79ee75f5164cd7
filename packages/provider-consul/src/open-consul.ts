import type { AdapterEnvironment, OpenProvider } from "@holdfast/core/adapter";
import type { ConsulAgents } from "./agent/consul-agents.ts";
import type { ConsulSettings } from "./consul-params.ts";
import { auditConsul } from "./http/audit-consul.ts";
import { ConsulClient, type ConsulSource } from "./http/consul-client.ts";
import { probeConsul } from "./probe-consul.ts";
import { watchService } from "./watch/service-watch.ts";

/** Creates the provider of one Consul service, which shares the agent with the other users of `agents`. */
export function openConsul(
  environment: AdapterEnvironment<ConsulSettings>,
  agents: ConsulAgents,
): OpenProvider {
  const { descriptor, clock } = environment;
  const { params: settings } = descriptor;
  const lease = agents.lease(settings, environment);
  const client = new ConsulClient({ agent: lease.agent, settings, clock });
  return { ...openService(environment, client), close: () => lease[Symbol.dispose]() };
}

/** Creates a provider that sends its requests with `client`. */
export function openService(
  environment: AdapterEnvironment<ConsulSettings>,
  client: ConsulSource,
): OpenProvider {
  const { descriptor, heartbeatMs } = environment;
  const { params } = descriptor;
  const newest = { index: 0 };
  return {
    /** Checks that Consul has a leader and that the token may read the service. */
    async probe({ signal }) {
      using _ = client.activate();
      await client.open(() => probeConsul({ client, params, withinMs: heartbeatMs * 2, signal }), signal);
    },
    watch: ({ signal }) => watchService({ descriptor, context: environment, client, newest, signal }),
    /** Lists the addresses to which the token is sent without TLS. */
    audit: async () => auditConsul(params),
    /** Reads the token once per second. */
    untilRenewed: ({ signal }) => client.untilRenewed(signal),
  };
}
