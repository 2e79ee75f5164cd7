import { constants, type BigIntStats } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import type { ClusterNode } from "@holdfast/core";
import { assertRegularFile, describeFileFailure } from "@holdfast/core/adapter";
import { InvalidTopologyError, toFileProblem } from "../invalid-topology-error.ts";
import { parseFolderFile, type FolderFile } from "./folder-file.ts";
import { Lease } from "./lease.ts";

export interface FolderEntryOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** How long a file that became invalid keeps its previous members, in milliseconds. */
  readonly settleMs: number;
  readonly readMembers: (file: unknown) => readonly ClusterNode[];
}

/** When a check takes place. */
export interface CheckTime {
  /** Wall-clock milliseconds. */
  readonly now: number;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Monotonic milliseconds of the check before; undefined for the first one. */
  readonly previousAt: number | undefined;
}

/** What one file contributes at the moment of a check. */
export interface EntryState {
  /** Empty when the lease has ended. */
  readonly members: readonly ClusterNode[];
  /** Why the file cannot be used. */
  readonly failure?: string | undefined;
  /** Whether the failure is too recent to be reported: the file may be in the middle of being written. */
  readonly isSettling: boolean;
  /** Milliseconds until the state changes by itself: the lease ends, or an invalid file is given up. */
  readonly dueInMs?: number | undefined;
}

/** One file of a folder. Content that was read is not read again. */
export class FolderEntry {
  readonly #options: FolderEntryOptions;
  readonly #lease = new Lease();
  #identity: string | undefined;
  #file: FolderFile | undefined;
  #failure: { readonly reason: string; readonly since: number } | undefined;

  constructor(options: FolderEntryOptions) {
    this.#options = options;
  }

  /** Whether its process touches the file, which is then replaced and never edited. */
  get isLeased(): boolean {
    return this.#file?.ttlMs !== undefined;
  }

  /** Returns `undefined` when the file does not exist. */
  async check(time: CheckTime): Promise<EntryState | undefined> {
    try {
      await this.#read(time);
    } catch (error) {
      if (Reflect.get(Object(error), "code") === "ENOENT") return undefined;
      this.#identity = undefined;
      this.#failure ??= { reason: toReason(error), since: time.at };
    }
    return this.#toState(time.at);
  }

  async #read(time: CheckTime): Promise<void> {
    const { path } = this.#options;
    const stats = await stat(path, { bigint: true });
    if (this.#identity === undefined || this.#identity !== this.#identify(stats)) await this.#parse();
    this.#lease.see({ mtimeNs: stats.mtimeNs, ...time });
  }

  /** A touch changes the times of a leased file; an edit in place changes those of another one. */
  #identify({ dev, ino, size, birthtimeNs, mtimeNs, ctimeNs }: BigIntStats): string {
    const same = [dev, ino, size, birthtimeNs];
    return (this.isLeased ? same : [...same, mtimeNs, ctimeNs]).join(":");
  }

  async #parse(): Promise<void> {
    const { path, maxBytes, readMembers } = this.#options;
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await handle.stat({ bigint: true });
      assertRegularFile(stats);
      if (stats.size > maxBytes)
        throw new InvalidTopologyError([toFileProblem(`at most ${maxBytes} bytes`, `${stats.size} bytes`)]);
      this.#file = parseFolderFile(await readWhole(handle, Number(stats.size)), readMembers);
      this.#identity = this.#identify(stats);
      this.#failure = undefined;
    } finally {
      await handle.close();
    }
  }

  #toState(at: number): EntryState {
    const { settleMs } = this.#options;
    const failure = this.#failure?.reason;
    const settleLeftMs = this.#failure === undefined ? Infinity : this.#failure.since + settleMs - at;
    if (settleLeftMs <= 0) {
      this.#file = undefined;
      return { members: [], failure, isSettling: false };
    }
    const { members = [], ttlMs } = this.#file ?? {};
    const leaseLeftMs = ttlMs === undefined ? Infinity : this.#lease.leftMs(ttlMs, at);
    const dueInMs = Math.min(settleLeftMs, leaseLeftMs > 0 ? leaseLeftMs : Infinity);
    return {
      members: leaseLeftMs > 0 ? members : [],
      failure,
      isSettling: failure !== undefined,
      ...(dueInMs !== Infinity && { dueInMs }),
    };
  }
}

async function readWhole(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  for (let bytesRead = -1; bytesRead !== 0 && length < size; length += bytesRead) {
    ({ bytesRead } = await handle.read(bytes, length, size - length, length));
  }
  return bytes.subarray(0, length);
}

function toReason(error: unknown): string {
  if (!(error instanceof InvalidTopologyError)) return describeFileFailure(error);
  const [first] = error.problems;
  if (first === undefined) return "it is invalid";
  return `${first.path === "" ? "" : `${first.path}: `}expected ${first.expected}, got ${first.got}`;
}
