import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isTopologyName, SerialQueue, type Clock, type TopologyName } from "@holdfast/core";
import { topologiesFolderOf, topologyFilesOf } from "../config/data-files.ts";

export interface StaleSnapshotsOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** True when the topology exists. Its files are kept. */
  readonly isInUse: (name: TopologyName) => boolean;
}

/** An older snapshot is never served: it is the maximum of `lastKnownGood.maxAgeMs`. */
const MAX_AGE_MS = 86_400_000;

/**
 * Removes the last known good snapshots of topologies that do not exist any more, so that services with ever new names do not fill the
 * disk. Stored providers are never removed.
 */
export class StaleSnapshots {
  readonly #options: StaleSnapshotsOptions;
  readonly #queue: SerialQueue = new SerialQueue();
  #isWaiting = false;

  constructor(options: StaleSnapshotsOptions) {
    this.#options = options;
  }

  /** Never rejects: what cannot be removed now is tried again by the next call. */
  async remove(): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    await this.#queue.run(async () => {
      this.#isWaiting = false;
      const folder = topologiesFolderOf(this.#options.dataDir);
      const names = await readdir(folder).catch(() => []);
      for (const name of names) await this.#removeIfStale(name).catch(() => undefined);
    });
  }

  async #removeIfStale(name: string): Promise<void> {
    const { dataDir, clock, isInUse } = this.#options;
    if (!isTopologyName(name) || isInUse(name)) return;
    const { snapshot } = topologyFilesOf(dataDir, name);
    const { mtimeMs } = await stat(snapshot);
    if (clock.now() - mtimeMs <= MAX_AGE_MS || isInUse(name)) return;
    await rm(snapshot);
    // Fails while the folder holds other files, such as stored providers.
    await rmdir(dirname(snapshot));
  }
}
