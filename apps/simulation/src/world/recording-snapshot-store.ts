import { isProvisioningError, type KnownGood, type SnapshotStore, type TopologyState } from "@holdfast/core";
import { FileSnapshotStore } from "@holdfast/store-file";
import type { LifeClock } from "./life-clock.ts";
import { createFileSystem, SNAPSHOT_PATH, type SimFiles } from "./sim-files.ts";
import { markRestored, type LoadRecord, type SaveRecord } from "./snapshot-record.ts";

export interface RecordingSnapshotStoreOptions {
  readonly files: SimFiles;
  readonly clock: LifeClock;
  /** Never resolves for a life that has ended. */
  readonly whileAlive: () => Promise<void>;
  readonly state: () => TopologyState;
  readonly onBegin: (record: SaveRecord) => void;
  readonly onEnd: (record: SaveRecord) => void;
  readonly onLoad: (record: LoadRecord) => void;
}

/** The real store on simulated files, with recorded loads and saves. */
export class RecordingSnapshotStore implements SnapshotStore {
  readonly #options: RecordingSnapshotStoreOptions;
  readonly #store: FileSnapshotStore;

  constructor(options: RecordingSnapshotStoreOptions) {
    const { clock, files, whileAlive } = options;
    this.#options = options;
    this.#store = new FileSnapshotStore({ path: SNAPSHOT_PATH, clock }, createFileSystem(files, whileAlive));
  }

  async load(): Promise<KnownGood | undefined> {
    try {
      const stored = await this.#store.load();
      const known = stored && markRestored(stored);
      this.#options.onLoad({ known, isDamaged: false });
      return known;
    } catch (error) {
      const isDamaged = isProvisioningError(error) && error.code === "STORE_CORRUPTED";
      this.#options.onLoad({ known: undefined, isDamaged });
      throw error;
    }
  }

  async save(known: KnownGood): Promise<void> {
    const { state, onBegin, onEnd } = this.#options;
    const record: SaveRecord = { known, state: state(), outcome: "pending" };
    onBegin(record);
    try {
      await this.#store.save(known);
      record.outcome = "done";
    } catch (error) {
      record.outcome = "failed";
      throw error;
    } finally {
      onEnd(record);
    }
  }
}
