import { resolve } from "node:path";
import {
  ProvisioningError,
  systemClock,
  type Clock,
  type KnownGood,
  type SnapshotStore,
} from "@holdfast/core";
import { nodeFileSystem, readIfThere, resolveTarget, type FileSystem } from "./file-system.ts";
import { replaceOwnFile } from "./replace-own-file.ts";
import { StoreTurns } from "./store-turns.ts";
import { decodeSnapshot, encodeSnapshot, isStoredSnapshot } from "./stored-snapshot.ts";

export interface FileSnapshotStoreOptions {
  /**
   * Path of the file. A symbolic link is followed and kept. The first save creates a missing folder with access for
   * this user only.
   */
  readonly path: string;
  /** The name of the setting that decides the path, such as `dataDir`. Error messages name it. */
  readonly setting?: string | undefined;
  /** Yields to the event loop while a large file is read. @defaultValue systemClock */
  readonly clock?: Clock | undefined;
}

/** 1 GiB: more than a million members need. */
const MAX_BYTES = 1_073_741_824;

/**
 * Keeps the newest good snapshot in one JSON Lines file that is replaced as a whole, with a checksum over all of it.
 * Calls run one at a time. The file must belong to one service: when two services save to it at the same time, one or
 * both saves reject with `STORE_IO`.
 */
export class FileSnapshotStore implements SnapshotStore {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #fileSystem: FileSystem;
  /** The target of the symbolic link that was checked last. */
  #checked: string | undefined;
  readonly #turns: StoreTurns;

  /** @internal The second parameter is for tests. */
  constructor(
    { path, setting, clock = systemClock }: FileSnapshotStoreOptions,
    fileSystem: FileSystem = nodeFileSystem,
  ) {
    this.#path = resolve(path);
    this.#turns = new StoreTurns(this.#path, setting);
    this.#clock = clock;
    this.#fileSystem = fileSystem;
  }

  load(): Promise<KnownGood | undefined> {
    return this.#turns.run(async () => {
      const bytes = await readIfThere(this.#fileSystem, this.#path, MAX_BYTES);
      return bytes && decodeSnapshot(bytes, { file: this.#path, clock: this.#clock });
    });
  }

  save(known: KnownGood): Promise<void> {
    return this.#turns.run(async () => {
      const fileSystem = this.#fileSystem;
      const target = await resolveTarget(fileSystem, this.#path);
      if (target !== this.#path) await this.#checkOurs(target);
      await replaceOwnFile(fileSystem, target, encodeSnapshot(known));
    });
  }

  /** A link to a file of another format is an accident or an attack, so that file is not replaced. */
  async #checkOurs(target: string): Promise<void> {
    if (target === this.#checked) return;
    const bytes = await readIfThere(this.#fileSystem, target, MAX_BYTES);
    if (bytes !== undefined && bytes.byteLength > 0 && !isStoredSnapshot(bytes)) {
      throw new ProvisioningError(
        "STORE_CORRUPTED",
        `"${this.#path}" is a link to "${target}", which is not a stored snapshot; that file was not replaced`,
        { details: { file: this.#path, target } },
      );
    }
    this.#checked = target;
  }
}
