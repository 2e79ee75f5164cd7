import { basename, dirname, join } from "node:path";
import { isErrno, makeFolder, syncFolder, type FileSystem } from "./file-system.ts";

/**
 * Replaces a file that belongs to one process as a whole: writes and syncs a temporary file, renames it, and syncs the folder. A missing
 * folder is created with access for this user only. When two processes write the same file, one or both calls reject.
 */
export async function replaceOwnFile(
  fileSystem: FileSystem,
  target: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const folder = dirname(target);
  await makeFolder(fileSystem, folder);
  const temporary = join(folder, `.${basename(target)}.tmp`);
  // A save that was interrupted by a crash may have left this file.
  await removeIfThere(fileSystem, temporary);
  try {
    await write(fileSystem, temporary, pieces);
    await fileSystem.rename(temporary, target);
  } catch (error) {
    await removeIfThere(fileSystem, temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(fileSystem, folder);
}

async function write(fileSystem: FileSystem, path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const file = await fileSystem.open(path, "wx", 0o600);
  try {
    for (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function removeIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.unlink(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}
