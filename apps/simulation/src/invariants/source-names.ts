import type { ProviderDescriptor } from "@holdfast/core";

/** Learns from saved snapshots how the service names the sources of providers: one name for one definition. */
export class SourceNames {
  readonly #names = new Map<string, string>();

  nameOf(descriptor: ProviderDescriptor): string | undefined {
    return this.#names.get(keyOf(descriptor));
  }

  /** Returns false when the name contradicts an earlier one. */
  learn(descriptor: ProviderDescriptor, name: string): boolean {
    const key = keyOf(descriptor);
    const known = this.#names.get(key);
    if (known !== undefined) return known === name;
    if ([...this.#names.values()].includes(name)) return false;
    this.#names.set(key, name);
    return true;
  }
}

function keyOf({ id, kind, params }: ProviderDescriptor): string {
  return JSON.stringify([id, kind, params]);
}
