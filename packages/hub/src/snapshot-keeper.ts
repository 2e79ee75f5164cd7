import {
  callIsolated,
  createSnapshot,
  toProvisioningError,
  type Clock,
  type KnownGood,
  type ProvisioningError,
  type SnapshotStore,
  type TopologySource,
} from "@holdfast/core";

export interface SnapshotKeeperOptions {
  readonly source: TopologySource;
  readonly store: SnapshotStore;
  readonly clock: Clock;
  /** The active provider, and when it last confirmed its content (wall-clock milliseconds); `undefined` when no provider is active. */
  readonly confirmation: () => Omit<KnownGood, "snapshot"> | undefined;
  /** How often to check for a new snapshot, in milliseconds. */
  readonly saveEveryMs: number;
  /** Unchanged content is saved again once its confirmation is this much newer than the saved one, in milliseconds. */
  readonly refreshMs: number;
  /** Called when a save fails; for several failures in a row, only for the first. Each check retries the save. */
  readonly onError: (error: ProvisioningError) => unknown;
}

/**
 * Saves the newest good snapshot to a store, without its blocks. A snapshot that is stale, was restored from the store, or has members
 * that only a guard keeps is never saved.
 */
export class SnapshotKeeper implements AsyncDisposable {
  readonly #options: SnapshotKeeperOptions;
  readonly #unsubscribe: () => void;
  #timer: Disposable | undefined;
  /** The snapshot to save at the start of the drain. After that no provider confirms its content any more. */
  #last: KnownGood | undefined;
  #saving: Promise<void> = Promise.resolve();
  #saved: KnownGood | undefined;
  #hasFailed = false;

  /** Starts the first interval. */
  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
    this.#unsubscribe = options.source.onEvent((event) => {
      if (event.kind === "status_changed" && event.to === "draining") this.#last = this.#known();
    });
    this.#schedule();
  }

  /** Saves the newest snapshot if it is not saved yet, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer === undefined) return;
    this.#timer[Symbol.dispose]();
    this.#timer = undefined;
    this.#unsubscribe();
    await this.#saving;
    await this.#save(this.#last ?? this.#known());
  }

  #schedule(): void {
    const { clock, saveEveryMs } = this.#options;
    this.#timer = clock.schedule(saveEveryMs, () => {
      this.#saving = this.#save(this.#known()).finally(() => {
        if (this.#timer !== undefined) this.#schedule();
      });
    });
  }

  /** Never rejects. */
  async #save(known: KnownGood | undefined): Promise<void> {
    if (known === undefined) return;
    try {
      await this.#options.store.save(known);
      this.#saved = known;
      this.#hasFailed = false;
    } catch (cause) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      const error = toProvisioningError(cause, "STORE_IO", "the last known good snapshot could not be saved");
      callIsolated(() => this.#options.onError(error));
    }
  }

  /** The snapshot to save; `undefined` if there is no good one, or if it is saved already. */
  #known(): KnownGood | undefined {
    const { source: topology, confirmation } = this.#options;
    const { snapshot: newest, isStale } = topology.state;
    const confirmed = confirmation();
    if (newest === undefined || newest.retained !== undefined || isStale || confirmed === undefined) {
      return undefined;
    }
    const known = { ...confirmed, snapshot: createSnapshot({ ...newest, blockedNodes: [] }) };
    return this.#isSaved(known) ? undefined : known;
  }

  #isSaved({ snapshot, source, confirmedAt }: KnownGood): boolean {
    const saved = this.#saved;
    if (saved === undefined || saved.source !== source || saved.snapshot.hash !== snapshot.hash) return false;
    // Absolute, because the clock may have been set back.
    return Math.abs(confirmedAt - saved.confirmedAt) < this.#options.refreshMs;
  }
}
