import { createHash } from "node:crypto";
import { constants, type BigIntStats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { throwIfAborted } from "@holdfast/core";
import { assertRegularFile, fileAccess } from "@holdfast/core/adapter";
import { InvalidTopologyError, toFileProblem } from "./invalid-topology-error.ts";

/** The whole content of the file at one moment. */
export interface FileReading {
  /** SHA-256 of the content, in hexadecimal. */
  readonly digest: string;
  /** Undefined when the content is the same as at the last reading. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

export interface FileReaderOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** Returns monotonic milliseconds. */
  readonly monotonic: () => number;
}

const SLICE = 524_288;

/**
 * Time stamps can be as coarse as two seconds (FAT), so a later change of the same size may not change them. A file
 * that was first seen less than this long before it was read is therefore read again.
 */
const COARSEST_STAMP_MS = 2_000;

/** Reads a file unless it is known to be unchanged since the last reading. */
export class FileReader {
  readonly #options: FileReaderOptions;
  #last: { stats: BigIntStats; digest: string; firstSeenAt: number; readAt: number } | undefined;

  constructor(options: FileReaderOptions) {
    this.#options = options;
  }

  /**
   * Returns `undefined` when the file was written to while it was being read. Throws the error of the file system, or
   * `InvalidTopologyError` for a file that is too large.
   */
  read(mustRead: boolean, signal: AbortSignal): Promise<FileReading | undefined> {
    return fileAccess.run(this.#options.path, () => this.#read(mustRead, signal), signal);
  }

  async #read(mustRead: boolean, signal: AbortSignal): Promise<FileReading | undefined> {
    const { path, maxBytes, monotonic } = this.#options;
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const seenAt = monotonic();
      const stats = await handle.stat({ bigint: true });
      assertRegularFile(stats);
      if (stats.size > maxBytes) throw tooLarge(stats.size, maxBytes);
      const last = this.#last;
      const isKnown = last !== undefined && isSameFile(last.stats, stats);
      if (isKnown && !mustRead && last.readAt - last.firstSeenAt >= COARSEST_STAMP_MS) {
        return { digest: last.digest };
      }
      const { digest, bytes } = await readWhole(handle, Number(stats.size), signal);
      if (!isSameFile(stats, await handle.stat({ bigint: true }))) return undefined;
      this.#last = { stats, digest, firstSeenAt: isKnown ? last.firstSeenAt : seenAt, readAt: seenAt };
      return digest === last?.digest ? { digest } : { digest, bytes };
    } finally {
      await handle.close();
    }
  }
}

async function readWhole(
  handle: FileHandle,
  size: number,
  signal: AbortSignal,
): Promise<Required<FileReading>> {
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
  const hash = createHash("sha256");
  for (let from = 0; from < size;) {
    throwIfAborted(signal);
    const { bytesRead } = await handle.read(bytes, from, Math.min(SLICE, size - from), from);
    if (bytesRead === 0) break;
    hash.update(bytes.subarray(from, from + bytesRead));
    from += bytesRead;
  }
  return { digest: hash.digest("hex"), bytes };
}

/**
 * The change time (ctime) cannot be set by a program, so an edit that restores the modification time is detected too.
 */
function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.dev === b.dev &&
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  );
}

function tooLarge(size: bigint, maxBytes: number): InvalidTopologyError {
  return new InvalidTopologyError([toFileProblem(`at most ${maxBytes} bytes`, `${size} bytes`)]);
}
