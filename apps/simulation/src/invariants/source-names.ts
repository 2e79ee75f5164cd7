import type { ProviderDescriptor } from "@holdfast/core";

/** How the service names what a provider looks at, learned from what it saves: one name for one definition. */
export class SourceNames {
  readonly #names = new Map<string, string>();

  nameOf(descriptor: ProviderDescriptor): string | undefined {
    return this.#names.get(keyOf(descriptor));
  }

  /** False when the name contradicts what is known. */
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
