import type { ProviderDescriptor, ProviderStore } from "@holdfast/core";

/**
 * Keeps the set of providers in memory, so it is lost when the process ends. For programs that list their providers
 * themselves.
 */
export class TransientProviderStore implements ProviderStore {
  #all: readonly ProviderDescriptor[] = [];

  load(): Promise<readonly ProviderDescriptor[]> {
    return Promise.resolve(this.#all);
  }

  save(all: readonly ProviderDescriptor[]): Promise<void> {
    this.#all = structuredClone(all);
    return Promise.resolve();
  }
}
