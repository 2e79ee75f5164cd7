import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  ProvisioningError,
  throwIfAborted,
  type ClusterNode,
  type Clock,
  type SkippedEntries,
} from "@holdfast/core";
import { fileAccess, MAX_MEMBERS, SkipTally } from "@holdfast/core/adapter";
import { createMembersReader } from "../members-reader.ts";
import { FolderEntry, type CheckTime } from "./folder-entry.ts";

export interface FolderReaderOptions {
  /** Absolute path of the folder. */
  readonly path: string;
  readonly maxBytes: number;
  readonly settleMs: number;
  readonly clock: Clock;
}

/** The content of the folder at the moment of a check. */
export interface FolderContent {
  /** The members of all files whose lease has not ended, sorted by id. */
  readonly members: readonly ClusterNode[];
  readonly skipped: SkippedEntries | undefined;
  /** Wall-clock milliseconds of the check. */
  readonly observedAt: number;
  /** Milliseconds until the content changes by itself; Infinity when it does not. */
  readonly dueInMs: number;
}

const MAX_FILES = 10_000;

/** The names of files that are read. Writers use a leading dot for files that are not complete yet. */
const NAME = /^[^.].*\.json$/i;

/** Reads the files of a folder, and keeps what it has read between checks. */
export class FolderReader {
  readonly #options: FolderReaderOptions;
  readonly #readMembers: (file: unknown) => readonly ClusterNode[] = createMembersReader();
  #entries = new Map<string, FolderEntry>();
  #checkedAt: number | undefined;

  constructor(options: FolderReaderOptions) {
    this.#options = options;
  }

  /** Whether a change of this file may only be a touch, which says nothing new until a lease ends. */
  isLeased(name: string): boolean {
    return this.#entries.get(name)?.isLeased === true;
  }

  /**
   * Throws the error of the file system when the folder cannot be read, and `STREAM_INVALID_DATA` when no file can be
   * used, or when there are too many files or members.
   */
  check(signal: AbortSignal): Promise<FolderContent> {
    return fileAccess.run(this.#options.path, () => this.#check(signal), signal);
  }

  async #check(signal: AbortSignal): Promise<FolderContent> {
    const { path, clock } = this.#options;
    const names = (await readdir(path)).filter((name) => NAME.test(name)).sort();
    if (names.length > MAX_FILES) throw this.#toError(`has more than ${MAX_FILES} files`);
    const time: CheckTime = { now: clock.now(), at: clock.monotonic(), previousAt: this.#checkedAt };
    const entries = new Map<string, FolderEntry>();
    const members = new Map<string, ClusterNode>();
    const tally = new SkipTally();
    let dueInMs = Infinity;
    let failure: string | undefined;
    for (const name of names) {
      throwIfAborted(signal);
      const entry = this.#entries.get(name) ?? this.#createEntry(name);
      // The times of the file may be later than the start of the check.
      const state = await entry.check({ ...time, now: clock.now(), at: clock.monotonic() });
      if (state === undefined) continue;
      entries.set(name, entry);
      dueInMs = Math.min(dueInMs, state.dueInMs ?? Infinity);
      if (state.failure !== undefined) {
        const reason = `${JSON.stringify(name)}: ${state.failure}`;
        failure ??= reason;
        if (!state.isSettling) tally.skip(reason);
      }
      for (const node of state.members) {
        if (members.has(node.id)) tally.skip(`${JSON.stringify(name)}: an id that another file has`);
        else members.set(node.id, node);
      }
    }
    this.#entries = entries;
    this.#checkedAt = time.at;
    if (members.size === 0 && failure !== undefined)
      throw this.#toError(`has no file that can be used: ${failure}`);
    if (members.size > MAX_MEMBERS) throw this.#toError(`has more than ${MAX_MEMBERS} members`);
    const sorted = [...members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return { members: sorted, skipped: tally.toSkipped(), observedAt: time.now, dueInMs };
  }

  #createEntry(name: string): FolderEntry {
    const { path, maxBytes, settleMs } = this.#options;
    return new FolderEntry({ path: join(path, name), maxBytes, settleMs, readMembers: this.#readMembers });
  }

  #toError(failure: string): ProvisioningError {
    const { path } = this.#options;
    return new ProvisioningError("STREAM_INVALID_DATA", `the folder "${path}" ${failure}`, {
      details: { file: path },
    });
  }
}
