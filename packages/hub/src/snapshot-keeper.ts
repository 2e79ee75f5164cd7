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
  /** Which provider is active, and when it last showed life (wall-clock milliseconds); undefined when nobody knows. */
  readonly confirmation: () => Omit<KnownGood, "snapshot"> | undefined;
  /** How often to look for something new, in milliseconds. */
  readonly saveEveryMs: number;
  /** Content that did not change is saved again once it was confirmed so much later, in milliseconds. */
  readonly refreshMs: number;
  /** A save that failed; of several in a row the first. It is tried again the next time. */
  readonly onError: (error: ProvisioningError) => unknown;
}

/**
 * Keeps the newest good snapshot in a store: what is current, without blocked nodes. What is stale, was itself restored, or
 * has members that only a guard keeps is never saved.
 */
export class SnapshotKeeper implements AsyncDisposable {
  readonly #options: SnapshotKeeperOptions;
  readonly #unsubscribe: () => void;
  #timer: Disposable | undefined;
  /** What was known as the topology began to drain: after that nobody shows life any more. */
  #last: KnownGood | undefined;
  #saving: Promise<void> = Promise.resolve();
  #saved: KnownGood | undefined;
  #hasFailed = false;

  /** Begins at once. */
  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
    this.#unsubscribe = options.source.onEvent((event) => {
      if (event.kind === "status_changed" && event.to === "draining") this.#last = this.#known();
    });
    this.#schedule();
  }

  /** Saves what is new once more, and ends. */
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

  /** What is worth a save. */
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
    // The clock may have been set back.
    return Math.abs(confirmedAt - saved.confirmedAt) < this.#options.refreshMs;
  }
}
