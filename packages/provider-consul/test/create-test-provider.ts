import { systemClock, type Clock, type ClusterProvider } from "@holdfast/core";
import { consul } from "../src/consul.ts";

export interface TestProviderOptions {
  readonly heartbeatMs?: number;
  readonly clock?: Clock;
  /** On top of a service "web" whose ids are the members'. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** A provider as the registry makes one. */
export function createTestProvider(options: TestProviderOptions): ClusterProvider {
  const { heartbeatMs = 5_000, clock = systemClock } = options;
  const adapter = consul.createAdapter();
  const params = adapter.params.parse({ service: "web", nodeId: "service-id", ...options.params });
  return adapter.create(
    { id: "test", kind: "consul", priority: 1, params },
    { clock, random: () => 0.5, heartbeatMs },
  );
}
