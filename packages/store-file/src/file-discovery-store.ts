import { resolve } from "node:path";
import type { DiscoveryStore, KnownServices } from "@holdfast/core";
import { nodeFileSystem, readIfThere, resolveTarget, type FileSystem } from "./file-system.ts";
import { replaceOwnFile } from "./replace-own-file.ts";
import { decodeServices, encodeServices } from "./stored-services.ts";
import { StoreTurns } from "./store-turns.ts";

export interface FileDiscoveryStoreOptions {
  /**
   * Path of the file. A symbolic link is followed and kept. The first save creates a missing folder with access for
   * this user only.
   */
  readonly path: string;
  /** The name of the setting that decides the path, such as `dataDir`. Error messages name it. */
  readonly setting?: string | undefined;
}

/**
 * Keeps the services that were found in one JSON Lines file that is replaced as a whole. Calls run one at a time, in call order. A damaged
 * file is never changed: `load` and `save` reject with `STORE_CORRUPTED`. The file must belong to one process.
 */
export class FileDiscoveryStore implements DiscoveryStore {
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  readonly #turns: StoreTurns;
  /** The file was read or written by this store, so it is not damaged and has this format. */
  #isSound = false;

  /** @internal The second parameter is for tests. */
  constructor({ path, setting }: FileDiscoveryStoreOptions, fileSystem: FileSystem = nodeFileSystem) {
    this.#path = resolve(path);
    this.#turns = new StoreTurns(this.#path, setting);
    this.#fileSystem = fileSystem;
  }

  load(): Promise<readonly KnownServices[]> {
    return this.#turns.run(() => this.#read());
  }

  async save(all: readonly KnownServices[]): Promise<void> {
    const bytes = encodeServices(all);
    await this.#turns.run(async () => {
      if (!this.#isSound) await this.#read();
      await replaceOwnFile(this.#fileSystem, await resolveTarget(this.#fileSystem, this.#path), [bytes]);
    });
  }

  async #read(): Promise<readonly KnownServices[]> {
    const bytes = await readIfThere(this.#fileSystem, this.#path);
    const all = bytes === undefined ? [] : decodeServices(bytes, this.#path);
    this.#isSound = true;
    return all;
  }
}
