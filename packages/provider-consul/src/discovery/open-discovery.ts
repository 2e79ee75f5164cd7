import type { DiscoveryEvent } from "@holdfast/core";
import type { DiscoveryEnvironment, OpenDiscovery } from "@holdfast/core/adapter";
import type { ConsulAgents } from "../agent/consul-agents.ts";
import { ConsulClient, type ConsulSource } from "../http/consul-client.ts";
import { BlockingWatch } from "../watch/blocking-watch.ts";
import { CatalogQuery } from "./catalog-query.ts";
import type { DiscoverySettings } from "./discovery-params.ts";

/** Creates the discovery of the services with a tag, which shares the agent with the other users of `agents`. */
export function openDiscovery(
  environment: DiscoveryEnvironment<DiscoverySettings>,
  agents: ConsulAgents,
): OpenDiscovery {
  const { params: settings, clock } = environment;
  const lease = agents.lease(settings, environment);
  const client = new ConsulClient({ agent: lease.agent, settings, clock });
  const newest = { index: 0 };
  return {
    services: ({ signal }) => watchCatalog({ environment, client, newest, signal }),
    close: () => lease[Symbol.dispose](),
  };
}

interface CatalogWatchOptions {
  readonly environment: DiscoveryEnvironment<DiscoverySettings>;
  readonly client: ConsulSource;
  readonly newest: { index: number };
  readonly signal: AbortSignal;
}

async function* watchCatalog(options: CatalogWatchOptions): AsyncGenerator<DiscoveryEvent, void> {
  const { environment: context, client, newest, signal } = options;
  const { params: settings } = context;
  const query = new CatalogQuery({ settings, context, client, signal });
  const watch = new BlockingWatch({ query, settings, context, client, newest, signal });
  for await (const event of watch.events()) {
    if (event.type === "heartbeat") yield event;
    if (event.type !== "content") continue;
    const services = event.content.map((name) => ({ name }));
    // A list that the server cannot confirm as current shows no more about missing services than one of a server that lost its data.
    const isReset = event.isReset || event.held !== undefined;
    yield { type: "services", services, ...(isReset && { isReset }) };
  }
}
