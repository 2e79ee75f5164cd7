import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import type { ProviderDescriptor, ProviderStore } from "@holdfast/core";
import { MAX_BYTES, readIfThere, resolveTarget } from "./file-system.ts";
import { replaceFile } from "./replace-file.ts";
import type { SideFiles } from "./side-files.ts";
import { toChangedError, toTooLargeError } from "./store-error.ts";
import { toDescriptorLines } from "./stored-descriptor.ts";
import {
  decodeSet,
  encodeSet,
  isSameVersion,
  NOTHING_STORED,
  type SetVersion,
  type StoredSet,
} from "./stored-set.ts";
import { createSideFiles, systemAccess, type SystemAccess } from "./system-access.ts";
import { StoreTurns } from "./store-turns.ts";
import type { Writer } from "./writer.ts";

export interface FileProviderStoreOptions {
  /**
   * Path of the file. A symbolic link is followed and kept. A missing file is the empty set. The first save creates a
   * missing folder with access for this user only.
   */
  readonly path: string;
  /** The name of the setting that decides the path, such as `dataDir`. Error messages name it. */
  readonly setting?: string | undefined;
}

/**
 * Keeps the set in one JSON Lines file that is replaced as a whole, safe against crashes and concurrent processes.
 * Calls run one at a time, in call order. Rejects with `STORE_CORRUPTED`, `STORE_IO` or `STORE_CONFLICT`; `save` also
 * with `VALIDATION_MALFORMED` or `VALIDATION_DUPLICATE_ID` for a set that could not be read back unchanged. A file has
 * at most 64 MiB.
 */
export class FileProviderStore implements ProviderStore {
  readonly #path: string;
  readonly #system: SystemAccess;
  readonly #turns: StoreTurns;
  readonly #instance: string = randomBytes(6).toString("hex");
  #writer: Writer | undefined;
  /** The version that this store last loaded or saved. */
  #known: SetVersion = NOTHING_STORED.version;

  /** @internal The second parameter is for tests. */
  constructor({ path, setting }: FileProviderStoreOptions, system: SystemAccess = systemAccess) {
    this.#path = resolve(path);
    this.#turns = new StoreTurns(this.#path, setting);
    this.#system = system;
  }

  load(): Promise<readonly ProviderDescriptor[]> {
    return this.#turns.run(async () => {
      const target = await resolveTarget(this.#system.fileSystem, this.#path);
      const { version, descriptors } = await this.#read(target);
      this.#known = version;
      const sideFiles = await this.#sideFilesOf(target);
      await sideFiles.sweep(version.generation);
      return descriptors;
    });
  }

  async save(all: readonly ProviderDescriptor[]): Promise<void> {
    const lines = toDescriptorLines(all);
    await this.#turns.run(() => this.#replace(lines));
  }

  async #replace(lines: readonly string[]): Promise<void> {
    const { fileSystem } = this.#system;
    const target = await resolveTarget(fileSystem, this.#path);
    await this.#checkUnchanged(target);
    const generation = this.#known.generation + 1;
    const { version, bytes } = encodeSet(lines, generation);
    if (bytes.byteLength > MAX_BYTES) throw toTooLargeError(bytes.byteLength);
    const sideFiles = await this.#sideFilesOf(target);
    await replaceFile({
      fileSystem,
      sideFiles,
      target,
      generation,
      bytes,
      checkUnchanged: () => this.#checkUnchanged(target),
      onRenamed: () => (this.#known = version),
    });
  }

  async #checkUnchanged(target: string): Promise<void> {
    const { version } = await this.#read(target);
    if (isSameVersion(version, this.#known)) return;
    throw toChangedError(this.#path);
  }

  async #read(target: string): Promise<StoredSet> {
    const bytes = await readIfThere(this.#system.fileSystem, target);
    return bytes === undefined ? NOTHING_STORED : decodeSet(bytes, this.#path);
  }

  async #sideFilesOf(target: string): Promise<SideFiles> {
    const writer = (this.#writer ??= await this.#system.processes.self());
    return createSideFiles(this.#system, { file: this.#path, target, writer, instance: this.#instance });
  }
}
