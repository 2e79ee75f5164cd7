import { systemClock, type Clock, type ClusterProvider } from "@holdfast/core";
import { folder } from "../src/folder/folder.ts";
import type { FolderParams } from "../src/folder/folder-params.ts";

export interface TestFolderOptions extends FolderParams {
  readonly heartbeatMs?: number;
  readonly clock?: Clock;
}

/**
 * Creates a provider as the registry does, with a slow poll, so that changes are reported only through notifications of
 * the file system.
 */
export function createTestFolder(options: TestFolderOptions): ClusterProvider {
  const { heartbeatMs = 120_000, clock = systemClock, ...params } = options;
  const adapter = folder.createAdapter();
  return adapter.create(
    { id: "test", kind: "folder", priority: 1, params: adapter.params.parse({ pollMs: 60_000, ...params }) },
    { clock, random: () => 0.5, heartbeatMs },
  );
}
