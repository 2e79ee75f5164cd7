import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { isErrno } from "./to-store-error.ts";

/**
 * Creates the folder and its missing parents. One at a time, because Node's `recursive` reports `ENOENT` on a read-only
 * or full file system.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (isErrno(error, "EEXIST")) return;
    const parent = dirname(folder);
    if (!isErrno(error, "ENOENT") || parent === folder) throw error;
    await makeFolder(parent);
    await makeFolder(folder);
  }
}
