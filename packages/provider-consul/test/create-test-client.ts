import { systemClock, type Clock } from "@holdfast/core";
import { ConsulAgent } from "../src/agent/consul-agent.ts";
import { consulParamsSchema } from "../src/consul-params.ts";
import { ConsulClient, type Environment } from "../src/http/consul-client.ts";

export interface TestClientOptions {
  /** Added to the default parameters. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly clock?: Clock | undefined;
  readonly env?: Environment | undefined;
  /** Receives what closes the connections of the client. */
  readonly open: (Disposable | AsyncDisposable)[];
}

/** Creates a client that uses an agent alone. */
export function createTestClient({
  params,
  clock = systemClock,
  env,
  open,
}: TestClientOptions): ConsulClient {
  const settings = consulParamsSchema.parse({ service: "web", ...params });
  const agent = new ConsulAgent({ ...settings, clock, random: () => 0.5 });
  open.push(agent.activate());
  return new ConsulClient({ agent, settings, clock, env });
}
