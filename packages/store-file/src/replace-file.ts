import { dirname } from "node:path";
import { makeFolder, syncFolder, type FileSystem } from "./file-system.ts";
import type { SideFiles } from "./side-files.ts";

export interface ReplaceFileOptions {
  readonly fileSystem: FileSystem;
  readonly sideFiles: SideFiles;
  /** The file, with symbolic links followed. */
  readonly target: string;
  /** The generation of `bytes`. It is one more than the generation in force, which is 0 when there is no file. */
  readonly generation: number;
  readonly bytes: Uint8Array;
  /** Throws when the generation in force is not the one before this one. */
  readonly checkUnchanged: () => Promise<void>;
  /** Called when the new content is in force. It is durable once the whole call has resolved. */
  readonly onRenamed?: (() => void) | undefined;
}

/**
 * Replaces a stored file as a whole: writes and syncs a temporary file, claims the generation, renames the file, and
 * syncs the folder. When several processes write the same generation, at most one succeeds; see `SideFiles.claim`.
 */
export async function replaceFile(options: ReplaceFileOptions): Promise<void> {
  const { fileSystem, sideFiles, target, generation, bytes, checkUnchanged, onRenamed } = options;
  let inForce = generation - 1;
  const isFirst = inForce === 0;
  if (isFirst) await makeFolder(fileSystem, dirname(target));
  const owner = isFirst ? undefined : await fileSystem.stat(target);
  await sideFiles.sweep(inForce);
  await using beacon = await sideFiles.light(generation);
  try {
    const temporary = await sideFiles.writeTemporary(generation, bytes, owner);
    await sideFiles.claim(generation, beacon !== undefined);
    await checkUnchanged();
    await fileSystem.rename(temporary, target);
    inForce = generation;
    onRenamed?.();
    await syncFolder(fileSystem, dirname(target));
  } finally {
    await sideFiles.sweep(inForce);
  }
}
