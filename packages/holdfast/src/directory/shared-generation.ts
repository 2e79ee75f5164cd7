import {
  SerialQueue,
  type GenerationStore,
  type NextGenerationOptions,
  type TopologyName,
} from "@holdfast/core";

/**
 * Numbers the runs of all topologies of a directory with one store. Topologies that start for the first time share the newest number, so
 * a thousand of them cost one write; a topology that starts again gets a greater one.
 */
export class SharedGeneration {
  readonly #store: GenerationStore;
  readonly #queue = new SerialQueue();
  #newest: number | undefined;
  /** The topologies that have used the newest number. */
  readonly #usedBy = new Set<TopologyName>();

  constructor(store: GenerationStore) {
    this.#store = store;
  }

  /** The numbers of one topology. */
  for(name: TopologyName): GenerationStore {
    return { next: (options) => this.#queue.run(() => this.#next(name, options), options.signal) };
  }

  async #next(name: TopologyName, options: NextGenerationOptions): Promise<number> {
    if (this.#newest === undefined || this.#usedBy.has(name)) {
      this.#newest = await this.#store.next(options);
      this.#usedBy.clear();
    }
    this.#usedBy.add(name);
    return this.#newest;
  }
}
