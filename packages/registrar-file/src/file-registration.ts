import { randomUUID } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { readFile, stat, unlink, type FileHandle } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ProvisioningError, throwIfAborted, type ClusterNode } from "@holdfast/core";
import { fileAccess, type OpenRegistration, type RegistrarEnvironment } from "@holdfast/core/adapter";
import { formatEntry, MAX_ENTRY_BYTES, parseEntryHeader, type EntryHeader } from "./entry-file.ts";
import { entryName } from "./entry-name.ts";
import type { FileRegistrarSettings } from "./file-registrar-params.ts";
import { FolderCleaner } from "./folder-cleaner.ts";
import { LastTouch } from "./last-touch.ts";
import { makeFolder } from "./make-folder.ts";
import { isErrno, toStoreError } from "./to-store-error.ts";
import { syncFolder, writeEntry } from "./write-entry.ts";

interface CallOptions {
  readonly signal: AbortSignal;
}

/** Attempts to create an entry that other processes create and remove at the same time. */
const ATTEMPTS = 3;

/**
 * The entry of this process: one file, which only this process writes. A beat sets the modification time of the open file,
 * so it can never prolong an entry that another process has put in its place.
 */
export class FileRegistration implements OpenRegistration {
  readonly beatMs: number;
  readonly ttlMs: number;
  readonly #environment: RegistrarEnvironment<FileRegistrarSettings>;
  readonly #folder: string;
  readonly #name: string;
  readonly #path: string;
  readonly #lease: EntryHeader;
  readonly #others: LastTouch;
  readonly #cleaner: FolderCleaner;
  /** The file of the entry while this process has one. */
  #handle: FileHandle | undefined;
  #isDraining = false;
  #hadEntry = false;
  #isClosed = false;

  constructor(environment: RegistrarEnvironment<FileRegistrarSettings>) {
    const { params, self, clock } = environment;
    const { ttlMs } = params;
    this.#environment = environment;
    this.ttlMs = ttlMs;
    this.beatMs = ttlMs / 3;
    this.#folder = resolve(params.folder);
    this.#name = entryName(self.id);
    this.#path = join(this.#folder, this.#name);
    const { host, port } = self;
    this.#lease = { ttlMs, owner: randomUUID(), address: `${host}:${port}` };
    this.#others = new LastTouch(clock);
    this.#cleaner = new FolderCleaner({ folder: this.#folder, ttlMs, clock });
  }

  register({ signal }: CallOptions): Promise<void> {
    return this.#run(signal, async () => {
      await makeFolder(this.#folder);
      if (!(await this.#isOwn())) await this.#create(signal);
      else if (this.#isDraining) await this.#write([this.#environment.self], { canReplace: true, signal });
      else await this.#touch();
      this.#isDraining = false;
      this.#hadEntry = true;
      await syncFolder(this.#folder);
      await this.#cleaner.clean();
    });
  }

  beat({ signal }: CallOptions): Promise<void> {
    return this.#run(signal, async () => {
      if (!(await this.#isOwn())) throw this.#lost();
      await this.#touch();
      await this.#cleaner.clean();
    });
  }

  drain({ signal }: CallOptions): Promise<void> {
    return this.#run(signal, async () => {
      if (!(await this.#isOwn())) throw this.#lost();
      if (this.#isDraining) return;
      await this.#write([], { canReplace: true, signal });
      this.#isDraining = true;
      await syncFolder(this.#folder);
    });
  }

  leave({ signal }: CallOptions): Promise<void> {
    return this.#run(signal, async () => {
      if (await this.#isOwn()) await removeIfThere(this.#path);
      await this.#closeHandle();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closeHandle();
  }

  /** Runs one call. The calls of one path follow each other, also when one was abandoned and still runs. */
  async #run(signal: AbortSignal, task: () => Promise<void>): Promise<void> {
    const call = async (): Promise<void> => {
      try {
        throwIfAborted(signal);
        await task();
      } finally {
        // The registration may have been disposed of while an abandoned call was running.
        if (this.#isClosed) await this.#closeHandle();
      }
    };
    try {
      await fileAccess.run(this.#path, call, signal);
    } catch (error) {
      throwIfAborted(signal);
      throw toStoreError(error, this.#folder);
    }
  }

  /** Whether the file at the path of the entry is the one that this process has written. */
  async #isOwn(): Promise<boolean> {
    if (this.#handle === undefined) return false;
    const own = await this.#handle.stat({ bigint: true });
    const current = await statIfThere(this.#path);
    if (current?.ino === own.ino && current.dev === own.dev) return true;
    await this.#closeHandle();
    return false;
  }

  async #touch(): Promise<void> {
    const seconds = this.#environment.clock.now() / 1_000;
    await this.#handle?.utimes(seconds, seconds);
  }

  async #create(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        const canReplace = await this.#isAbandoned();
        await this.#write([this.#environment.self], { canReplace, signal });
        return;
      } catch (error) {
        // Another process created or removed its entry after it was looked for.
        if (!isErrno(error, "EEXIST", "ENOENT")) throw error;
      }
    }
    throw this.#taken("other processes create and remove it at the same time");
  }

  async #write(
    members: readonly ClusterNode[],
    { canReplace, signal }: { readonly canReplace: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const handle = await writeEntry({
      folder: this.#folder,
      name: this.#name,
      text: formatEntry(members, this.#lease),
      now: this.#environment.clock.now(),
      canReplace,
      signal,
    });
    await this.#closeHandle();
    this.#handle = handle;
  }

  /**
   * Returns false when no entry exists, and true when its process no longer lives. Throws `VALIDATION_DUPLICATE_ID` when
   * it lives.
   */
  async #isAbandoned(): Promise<boolean> {
    const stats = await statIfThere(this.#path);
    if (stats === undefined) return false;
    const header = await this.#readHeader(stats);
    if (header === undefined) throw this.#taken(`"${this.#path}" was not written by a registrar`);
    // Only one process can listen on an address, so the process of this entry has ended. A process that lost its own entry
    // in this way does not take it back.
    if (header.address === this.#lease.address && !this.#hadEntry) return true;
    const ageMs = this.#environment.clock.now() - Number(stats.mtimeNs) / 1e6;
    const idleMs = this.#others.observe(this.#name, stats);
    if (Math.max(ageMs, idleMs) >= header.ttlMs) return true;
    throw this.#taken("a process with this id lives, or ended less than its time to live ago");
  }

  async #readHeader(stats: BigIntStats): Promise<EntryHeader | undefined> {
    if (!stats.isFile() || stats.size > MAX_ENTRY_BYTES) return undefined;
    return parseEntryHeader(await readFile(this.#path, "utf8"));
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  #taken(reason: string): ProvisioningError {
    const { id } = this.#environment.self;
    return new ProvisioningError(
      "VALIDATION_DUPLICATE_ID",
      `the id "${id}" is taken in the folder "${this.#folder}": ${reason}`,
      {
        details: { id, folder: this.#folder },
      },
    );
  }

  #lost(): ProvisioningError {
    return new ProvisioningError(
      "LIFECYCLE_REGISTRATION_LOST",
      `the entry of this process in the folder "${this.#folder}" was removed or replaced`,
      { details: { folder: this.#folder } },
    );
  }
}

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}
