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
import { createSideFiles, systemGround, type StoreGround } from "./store-ground.ts";
import { StoreTurns } from "./store-turns.ts";
import type { Writer } from "./writer.ts";

export interface FileProviderStoreOptions {
  /**
   * The file; a symbolic link stays one. A missing file is the empty set. A missing folder is created by the first save,
   * for this user alone.
   */
  readonly path: string;
  /** The name of the setting that decides the path, for errors, such as `dataDir`. */
  readonly setting?: string | undefined;
}

/**
 * Keeps the set in one file of JSON Lines that is replaced as a whole, safe against crashes and other processes. Calls
 * run one at a time, in the order they came. Rejects with `STORE_CORRUPTED`, `STORE_IO` or `STORE_CONFLICT`; `save` also
 * with `VALIDATION_MALFORMED` or `VALIDATION_DUPLICATE_ID` for a set that could not be read back. A file is 64 MiB at most.
 */
export class FileProviderStore implements ProviderStore {
  readonly #path: string;
  readonly #ground: StoreGround;
  readonly #turns: StoreTurns;
  readonly #instance: string = randomBytes(6).toString("hex");
  #writer: Writer | undefined;
  /** What this store last saw in the file. */
  #known: SetVersion = NOTHING_STORED.version;

  /** @internal The second parameter is for tests. */
  constructor({ path, setting }: FileProviderStoreOptions, ground: StoreGround = systemGround) {
    this.#path = resolve(path);
    this.#turns = new StoreTurns(this.#path, setting);
    this.#ground = ground;
  }

  load(): Promise<readonly ProviderDescriptor[]> {
    return this.#turns.run(async () => {
      const target = await resolveTarget(this.#ground.fileSystem, this.#path);
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
    const { fileSystem } = this.#ground;
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
    const bytes = await readIfThere(this.#ground.fileSystem, target);
    return bytes === undefined ? NOTHING_STORED : decodeSet(bytes, this.#path);
  }

  async #sideFilesOf(target: string): Promise<SideFiles> {
    const writer = (this.#writer ??= await this.#ground.processes.self());
    return createSideFiles(this.#ground, { file: this.#path, target, writer, instance: this.#instance });
  }
}
