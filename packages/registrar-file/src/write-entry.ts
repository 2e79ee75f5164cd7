import { randomUUID } from "node:crypto";
import { link, open, rename, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { temporaryName } from "./entry-name.ts";
import { isErrno } from "./to-store-error.ts";

export interface WriteEntryOptions {
  readonly folder: string;
  readonly name: string;
  readonly text: string;
  /** Wall-clock milliseconds of the first beat. */
  readonly now: number;
  /** Whether the entry may replace an existing one. Without it, the call rejects with `EEXIST` if there is one. */
  readonly canReplace: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes an entry so that readers see it completely or not at all, also after a crash. Returns the open file, with which
 * its process beats. Nothing is left behind when it rejects.
 */
export async function writeEntry(options: WriteEntryOptions): Promise<FileHandle> {
  const { folder, name, text, now, canReplace, signal } = options;
  const path = join(folder, name);
  const temporary = join(folder, temporaryName(name, randomUUID()));
  const handle = await open(temporary, "wx", 0o644);
  try {
    await handle.writeFile(text);
    await handle.utimes(now / 1_000, now / 1_000);
    await handle.sync();
    signal.throwIfAborted();
    if (canReplace) await rename(temporary, path);
    else await publish(temporary, path);
  } catch (error) {
    await handle.close();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  return handle;
}

/** Makes the file durable that was created, renamed or removed in the folder. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, so it cannot sync one.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot sync a folder.
    if (!isErrno(error, "EINVAL", "ENOTSUP")) throw error;
  } finally {
    await handle.close();
  }
}

/** A link, unlike a rename, fails when another process has created the entry in the meantime. */
async function publish(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    // A file system without links, such as FAT.
    if (!isErrno(error, "EPERM", "ENOTSUP", "ENOSYS", "EMLINK")) throw error;
    await rename(temporary, path);
    return;
  }
  await unlink(temporary);
}
