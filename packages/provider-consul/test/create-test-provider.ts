import { systemClock, type AnyProviderAdapter, type Clock, type ClusterProvider } from "@holdfast/core";
import { consul } from "../src/consul.ts";

export interface TestProviderOptions {
  readonly heartbeatMs?: number;
  readonly clock?: Clock;
  /** Providers of one adapter share their connections. @defaultValue a new adapter */
  readonly adapter?: AnyProviderAdapter;
  /** Added to the default parameters: the service "web", with service ids as the ids of members. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Creates a provider as the registry does. */
export function createTestProvider(options: TestProviderOptions): ClusterProvider {
  const { heartbeatMs = 5_000, clock = systemClock, adapter = consul.createAdapter() } = options;
  const params = adapter.params.parse({ service: "web", nodeId: "service-id", ...options.params });
  return adapter.create(
    { id: "test", kind: "consul", priority: 1, params },
    { clock, random: () => 0.5, heartbeatMs },
  );
}
