import { systemClock, type Clock, type ClusterProvider } from "@holdfast/core";
import { file } from "../src/file.ts";
import type { FileParams } from "../src/file-params.ts";

export interface TestProviderOptions extends FileParams {
  readonly heartbeatMs?: number;
  readonly clock?: Clock;
}

/**
 * Creates a provider as the registry does, with a slow poll, so that changes are reported only through notifications of
 * the file system.
 */
export function createTestProvider(options: TestProviderOptions): ClusterProvider {
  const { heartbeatMs = 120_000, clock = systemClock, ...params } = options;
  const adapter = file.createAdapter();
  return adapter.create(
    { id: "test", kind: "file", priority: 1, params: adapter.params.parse({ pollMs: 60_000, ...params }) },
    { clock, random: () => 0.5, heartbeatMs },
  );
}
