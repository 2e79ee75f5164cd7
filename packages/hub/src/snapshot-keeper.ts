import {
  createSnapshot,
  toProvisioningError,
  type Clock,
  type KnownGood,
  type ProvisioningError,
  type SnapshotHash,
  type SnapshotStore,
  type TopologySource,
} from "@holdfast/core";

export interface SnapshotKeeperOptions {
  readonly source: TopologySource;
  readonly store: SnapshotStore;
  readonly clock: Clock;
  /** Wall-clock milliseconds at which the active provider last showed life. */
  readonly confirmedAt: () => number | undefined;
  /** How often to look for something new, in milliseconds. */
  readonly saveEveryMs: number;
  /** Content that did not change is saved again once it was confirmed so much later, in milliseconds. */
  readonly refreshMs: number;
  /** A save that failed; of several in a row the first. It is tried again the next time. */
  readonly onError: (error: ProvisioningError) => unknown;
}

/**
 * Keeps the newest good snapshot in a store: what is current, without blocked nodes and without members that only a guard
 * keeps. What is stale, or was itself restored, is never saved.
 */
export class SnapshotKeeper implements AsyncDisposable {
  readonly #options: SnapshotKeeperOptions;
  readonly #unsubscribe: () => void;
  #timer: Disposable | undefined;
  /** What was known as the topology began to drain: after that nobody shows life any more. */
  #last: KnownGood | undefined;
  #saving: Promise<void> = Promise.resolve();
  #savedHash: SnapshotHash | undefined;
  #savedAt = 0;
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
      this.#savedHash = known.snapshot.hash;
      this.#savedAt = known.confirmedAt;
      this.#hasFailed = false;
    } catch (cause) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#options.onError(
        toProvisioningError(cause, "STORE_IO", "the last known good snapshot could not be saved"),
      );
    }
  }

  /** What is worth a save. */
  #known(): KnownGood | undefined {
    const { source, confirmedAt: lastLifeAt, refreshMs } = this.#options;
    const { snapshot: newest, isStale } = source.state;
    const confirmedAt = lastLifeAt();
    if (newest === undefined || isStale || confirmedAt === undefined) return undefined;
    const members = newest.members.apply({ remove: newest.retained ?? [] });
    const snapshot = createSnapshot({ ...newest, members, blockedNodes: [], retained: undefined });
    const isOld = snapshot.hash === this.#savedHash && confirmedAt - this.#savedAt < refreshMs;
    return isOld ? undefined : { snapshot, confirmedAt };
  }
}
