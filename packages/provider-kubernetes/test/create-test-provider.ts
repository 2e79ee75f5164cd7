import { systemClock, type AnyProviderAdapter, type Clock, type ClusterProvider } from "@holdfast/core";
import { kubernetes } from "../src/kubernetes.ts";

export interface TestProviderOptions {
  readonly heartbeatMs?: number;
  readonly clock?: Clock;
  /** @defaultValue a new adapter, so that nothing is shared with other providers */
  readonly adapter?: AnyProviderAdapter;
  /** Added to the default parameters: the service "web" in the namespace "default", with settleMs 0. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Creates a provider as the registry does. */
export function createTestProvider(options: TestProviderOptions): ClusterProvider {
  const { heartbeatMs = 5_000, clock = systemClock, adapter = kubernetes.createAdapter() } = options;
  const params = adapter.params.parse({
    service: "web",
    namespace: "default",
    settleMs: 0,
    ...options.params,
  });
  return adapter.create(
    { id: "test", kind: "kubernetes", priority: 1, params },
    { clock, random: () => 0.5, heartbeatMs },
  );
}
