import { isProvisioningError } from "@holdfast/core";
import { FileProviderStore } from "@holdfast/store-file";
import { topologyFilesOf } from "../config/data-files.ts";
import type { LoadedConfig } from "../config/load-config.ts";

/**
 * Throws `STORE_CORRUPTED` when a file of stored providers of any configured topology is damaged. Other failures, such as a file
 * system that does not respond, are left to the start of the topology.
 */
export async function assertStoresIntact({ dataDir, topologies }: LoadedConfig): Promise<void> {
  const loads = topologies.map(async ({ name }) => {
    const { providers } = topologyFilesOf(dataDir, name);
    try {
      await new FileProviderStore({ path: providers, setting: "dataDir" }).load();
    } catch (error) {
      if (isProvisioningError(error) && error.code === "STORE_CORRUPTED") throw error;
    }
  });
  await Promise.all(loads);
}
