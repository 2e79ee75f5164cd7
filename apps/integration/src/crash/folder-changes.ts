import { once } from "node:events";
import { watch } from "node:fs";

/** Resolves after `count` changes in the folder, or when the signal aborts. */
export async function folderChanges(folder: string, count: number, signal: AbortSignal): Promise<void> {
  let changes = 0;
  const watcher = watch(folder);
  try {
    const { promise, resolve } = Promise.withResolvers<void>();
    watcher.on("change", () => {
      if (++changes === count) resolve();
    });
    await Promise.race([promise, signal.aborted ? undefined : once(signal, "abort")]);
  } finally {
    watcher.close();
  }
}
