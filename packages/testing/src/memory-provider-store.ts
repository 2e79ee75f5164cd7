import { ProvisioningError, type ProviderDescriptor, type ProviderStore } from "@holdfast/core";

/** The content that one or more stores share. */
interface MemoryPlace {
  text: string | undefined;
  /** Counts the saves. */
  version: number;
  failures: ProvisioningError[];
}

/**
 * A store in memory, whose content is lost when the process ends. It is the reference implementation, and a double for
 * tests.
 */
export class MemoryProviderStore implements ProviderStore {
  #place: MemoryPlace = { text: undefined, version: 0, failures: [] };
  /** The version that this store last loaded or saved; 0 at first. */
  #seen = 0;

  /** The stored JSON; empty when nothing was ever saved. */
  get contents(): string {
    return this.#place.text ?? "";
  }

  /** Returns another store on the same content, as after a restart or in another process. */
  reopen(): MemoryProviderStore {
    const other = new MemoryProviderStore();
    other.#place = this.#place;
    return other;
  }

  /** Makes the next `count` saves of this content reject with the error and change nothing. */
  failNext(
    count: number,
    error: ProvisioningError = new ProvisioningError("STORE_IO", "the store fails on request"),
  ): void {
    this.#place.failures = Array.from({ length: count }, () => error);
  }

  /** Damages the content: removes its second half. */
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
    throw new ProvisioningError("STORE_CORRUPTED", "the stored content is not JSON", { cause: error });
  }
}
