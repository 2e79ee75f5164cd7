import { randomBytes } from "node:crypto";
import { dirname, resolve } from "node:path";
import { SerialQueue, type ProviderDescriptor, type ProviderStore } from "@holdfast/core";
import { systemBeacons, type Beacons } from "./beacon.ts";
import {
  makeFolder,
  MAX_BYTES,
  nodeFileSystem,
  readIfThere,
  resolveTarget,
  syncFolder,
  type FileSystem,
} from "./file-system.ts";
import { SideFiles } from "./side-files.ts";
import { toChangedError, toStoreError, toTooLargeError } from "./store-error.ts";
import { toDescriptorLines } from "./stored-descriptor.ts";
import {
  decodeSet,
  encodeSet,
  isSameVersion,
  NOTHING_STORED,
  type SetVersion,
  type StoredSet,
} from "./stored-set.ts";
import { systemProcesses, type ProcessTable, type Writer } from "./writer.ts";

export interface FileProviderStoreOptions {
  /**
   * The file; a symbolic link stays one. A missing file is the empty set. A missing folder is created by the first save,
   * for this user alone.
   */
  readonly path: string;
  /** The name of the setting that decides the path, for errors, such as `dataDir`. */
  readonly setting?: string | undefined;
}

/** The parts of the system that the store uses. Tests pass others. */
export interface StoreGround {
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  /** Left out: none, and only process ids tell whether a process is alive. */
  readonly beacons?: Beacons | undefined;
}

const NO_BEACONS: Beacons = { light: async () => undefined, isLit: async () => undefined };

/**
 * Keeps the set in one file of JSON Lines that is replaced as a whole, safe against crashes and other processes. Calls
 * run one at a time, in the order they came. Rejects with `STORE_CORRUPTED`, `STORE_IO` or `STORE_CONFLICT`; `save` also
 * with `VALIDATION_MALFORMED` or `VALIDATION_DUPLICATE_ID` for a set that could not be read back. A file is 64 MiB at most.
 */
export class FileProviderStore implements ProviderStore {
  readonly #path: string;
  readonly #setting: string | undefined;
  readonly #ground: StoreGround;
  readonly #queue: SerialQueue = new SerialQueue();
  readonly #instance: string = randomBytes(6).toString("hex");
  #writer: Writer | undefined;
  /** What this store last saw in the file. */
  #known: SetVersion = NOTHING_STORED.version;

  /** @internal The second parameter is for tests. */
  constructor(
    { path, setting }: FileProviderStoreOptions,
    ground: StoreGround = {
      fileSystem: nodeFileSystem,
      processes: systemProcesses,
      beacons: systemBeacons,
    },
  ) {
    this.#path = resolve(path);
    this.#setting = setting;
    this.#ground = ground;
  }

  load(): Promise<readonly ProviderDescriptor[]> {
    return this.#inTurn(async () => {
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
    await this.#inTurn(() => this.#replace(lines));
  }

  async #replace(lines: readonly string[]): Promise<void> {
    const { fileSystem } = this.#ground;
    const target = await resolveTarget(fileSystem, this.#path);
    await this.#checkUnchanged(target);
    const isFirst = this.#known.generation === 0;
    if (isFirst) await makeFolder(fileSystem, dirname(target));
    const owner = isFirst ? undefined : await fileSystem.stat(target);
    const generation = this.#known.generation + 1;
    const { version, bytes } = encodeSet(lines, generation);
    if (bytes.byteLength > MAX_BYTES) throw toTooLargeError(bytes.byteLength);
    const sideFiles = await this.#sideFilesOf(target);
    await sideFiles.sweep(this.#known.generation);
    await using beacon = await sideFiles.light(generation);
    try {
      const temporary = await sideFiles.writeTemporary(generation, bytes, owner);
      await sideFiles.claim(generation, beacon !== undefined);
      await this.#checkUnchanged(target);
      await fileSystem.rename(temporary, target);
      this.#known = version;
      await syncFolder(fileSystem, dirname(target));
    } finally {
      await sideFiles.sweep(this.#known.generation);
    }
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
    const { fileSystem, processes, beacons = NO_BEACONS } = this.#ground;
    const writer = (this.#writer ??= await processes.self());
    return new SideFiles({
      fileSystem,
      processes,
      beacons,
      file: this.#path,
      target,
      writer,
      instance: this.#instance,
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      try {
        return await task();
      } catch (error) {
        throw toStoreError(error, this.#path, this.#setting);
      }
    });
  }
}
