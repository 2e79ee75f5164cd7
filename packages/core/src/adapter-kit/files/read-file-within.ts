import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import { createDeadline } from "../../time/deadline.ts";
import { throwIfAborted } from "../../time/abort.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { ByteParts } from "./byte-parts.ts";
import type { Clock } from "../../time/clock.ts";
import { fileAccess } from "./file-access.ts";
import { assertRegularFile } from "./assert-regular-file.ts";
import { ProvisioningError } from "../../errors/provisioning-error.ts";
import { systemClock } from "../../time/system-clock.ts";

export interface ReadFileOptions {
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Time limit of a read, in milliseconds. @defaultValue 5000 */
  readonly withinMs?: number | undefined;
  /** @defaultValue systemClock */
  readonly clock?: Clock | undefined;
}

const PART_BYTES = 65_536;

/** Without `O_NONBLOCK`, opening a named pipe would wait for a writer. Windows does not have the flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Reads that have not started, by path and limit. Callers share them. */
const waiting = new Map<string, Promise<Buffer | undefined>>();

/**
 * Returns the whole content of a regular file, or `undefined` when it is longer than `maxBytes`, of which no more is
 * read. Only one read of a path is in progress at a time, and callers in the meantime share the next one. Throws the
 * error of the file system, an error with a separate code for a path that is not a regular file (see
 * `describeFileFailure`), and `CONNECTIVITY_TIMEOUT` for a file that hangs, as on a network file system whose server is
 * down.
 */
export async function readFileWithin(path: string, options: ReadFileOptions): Promise<Buffer | undefined> {
  const { maxBytes, signal, withinMs = 5_000, clock = systemClock } = options;
  throwIfAborted(signal);
  using deadline = createDeadline({
    clock,
    signal,
    afterMs: withinMs,
    error: () =>
      new ProvisioningError(
        "CONNECTIVITY_TIMEOUT",
        `reading the file "${path}" took more than ${withinMs} ms`,
        {
          details: { file: path, withinMs },
        },
      ),
  });
  return await untilAborted(readOnce(resolve(path), maxBytes), deadline.signal);
}

function readOnce(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const key = `${maxBytes} ${path}`;
  const known = waiting.get(key);
  if (known !== undefined) return known;
  let hasBegun = false;
  const read = fileAccess.run(path, () => {
    hasBegun = true;
    waiting.delete(key);
    return readNow(path, maxBytes);
  });
  if (!hasBegun) waiting.set(key, read);
  return read;
}

async function readNow(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const handle = await open(path, FLAGS);
  try {
    assertRegularFile(await handle.stat());
    return await readToEnd(handle, maxBytes);
  } finally {
    await handle.close();
  }
}

/** Does not use the size that the file reports, because files of `/proc` report 0. */
async function readToEnd(handle: FileHandle, maxBytes: number): Promise<Buffer | undefined> {
  const parts = new ByteParts();
  for (;;) {
    const part = Buffer.allocUnsafe(PART_BYTES);
    const { bytesRead } = await handle.read(part, 0, PART_BYTES);
    if (bytesRead === 0) return parts.take();
    if (parts.byteLength + bytesRead > maxBytes) return undefined;
    parts.add(part.subarray(0, bytesRead));
  }
}
