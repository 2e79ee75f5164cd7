import { ProvisioningError, type ProviderDescriptor, type ProviderStore } from "@holdfast/core";

/** Where one or more stores keep their text. */
interface MemoryPlace {
  text: string | undefined;
  /** Counts the saves. */
  version: number;
  failures: ProvisioningError[];
}

/** A store that lasts as long as the process: the reference for stores, and for tests of what uses one. */
export class MemoryProviderStore implements ProviderStore {
  #place: MemoryPlace = { text: undefined, version: 0, failures: [] };
  /** The version this store last loaded or saved; to begin with, nothing. */
  #seen = 0;

  /** What is stored, as JSON; empty when nothing was ever saved. */
  get contents(): string {
    return this.#place.text ?? "";
  }

  /** Another store on the same place, as after a restart or in another process. */
  reopen(): MemoryProviderStore {
    const other = new MemoryProviderStore();
    other.#place = this.#place;
    return other;
  }

  /** The next `count` saves on this place reject with the error and change nothing. */
  failNext(
    count: number,
    error: ProvisioningError = new ProvisioningError("STORE_IO", "the store was told to fail"),
  ): void {
    this.#place.failures = Array.from({ length: count }, () => error);
  }

  /** Cuts what is stored in half. */
  damage(): void {
    this.#place.text = this.contents.slice(0, Math.floor(this.contents.length / 2)) + "}";
  }

  async load(): Promise<readonly ProviderDescriptor[]> {
    await Promise.resolve();
    const { text, version } = this.#place;
    const all = text === undefined ? [] : parse(text);
    this.#seen = version;
    return all;
  }

  async save(all: readonly ProviderDescriptor[]): Promise<void> {
    const next = JSON.stringify(all);
    await Promise.resolve();
    const place = this.#place;
    const failure = place.failures.shift();
    if (failure !== undefined) throw failure;
    if (place.text !== undefined) parse(place.text);
    if (this.#seen !== place.version) {
      throw new ProvisioningError(
        "STORE_CONFLICT",
        "another store saved since this one last loaded or saved",
      );
    }
    place.text = next;
    this.#seen = ++place.version;
  }
}

function parse(text: string): readonly ProviderDescriptor[] {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `save` and `damage` write it
    return JSON.parse(text) as readonly ProviderDescriptor[];
  } catch (error) {
    throw new ProvisioningError("STORE_CORRUPTED", "what is stored is not JSON", { cause: error });
  }
}
