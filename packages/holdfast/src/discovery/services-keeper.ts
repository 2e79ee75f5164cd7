import {
  toProvisioningError,
  untilAborted,
  type Clock,
  type DiscoveryStore,
  type KnownServices,
  type ProvisioningError,
} from "@holdfast/core";

export interface ServicesKeeperOptions {
  readonly store: DiscoveryStore;
  readonly clock: Clock;
  /** Called when a save fails; for several failures in a row, only for the first. */
  readonly onError: (error: ProvisioningError) => void;
}

const RETRY_MS = 10_000;

/** Saves the newest services to a store, one save at a time. A save that fails is tried again. */
export class ServicesKeeper {
  readonly #options: ServicesKeeperOptions;
  /** What the next save stores; absent when everything is saved. */
  #next: readonly KnownServices[] | undefined;
  #saved = "";
  #saving: Promise<void> | undefined;
  #retry: Disposable | undefined;
  #hasFailed = false;
  #isClosed = false;

  constructor(options: ServicesKeeperOptions) {
    this.#options = options;
  }

  /** What the store holds already. */
  markSaved(all: readonly KnownServices[]): void {
    this.#saved = JSON.stringify(all);
  }

  keep(all: readonly KnownServices[]): void {
    if (this.#isClosed) return;
    this.#next = all;
    this.#start();
  }

  /** Saves what is not saved yet, and ends. Resolves with the names of tasks unfinished when the signal aborted. Never rejects. */
  async finish(signal: AbortSignal): Promise<readonly string[]> {
    this.#start();
    this.#isClosed = true;
    this.#retry?.[Symbol.dispose]();
    try {
      await untilAborted(this.#saving, signal);
      return [];
    } catch {
      return ["found services: a save"];
    }
  }

  #start(): void {
    if (this.#saving !== undefined || this.#next === undefined || this.#isClosed) return;
    this.#retry?.[Symbol.dispose]();
    this.#saving = this.#saveAll().finally(() => (this.#saving = undefined));
  }

  /** Never rejects. */
  async #saveAll(): Promise<void> {
    while (this.#next !== undefined) {
      const all = this.#next;
      this.#next = undefined;
      const text = JSON.stringify(all);
      if (text === this.#saved) continue;
      try {
        await this.#options.store.save(all);
        this.#saved = text;
        this.#hasFailed = false;
      } catch (cause) {
        this.#next ??= all;
        this.#fail(cause);
        return;
      }
    }
  }

  #fail(cause: unknown): void {
    const { clock, onError } = this.#options;
    if (!this.#isClosed) this.#retry = clock.schedule(RETRY_MS, () => this.#start());
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    onError(toProvisioningError(cause, "STORE_IO", "the services that were found could not be saved"));
  }
}
