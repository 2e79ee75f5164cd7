import { readdirSync, readlinkSync } from "node:fs";
import type { Worker } from "node:worker_threads";

/**
 * Counts the open resources of this process: file watchers, worker threads started since creation, and files below a
 * folder.
 */
export class OpenResources implements Disposable {
  readonly #folder: string;
  #workers = 0;

  constructor(folder: string) {
    this.#folder = folder;
    process.on("worker", this.#onWorker);
  }

  get count(): number {
    const watchers = process.getActiveResourcesInfo().filter((type) => type === "FSEventWrap");
    return watchers.length + this.#workers + countOpenFiles(this.#folder);
  }

  [Symbol.dispose](): void {
    process.off("worker", this.#onWorker);
  }

  readonly #onWorker = (worker: Worker): void => {
    this.#workers++;
    worker.once("exit", () => this.#workers--);
  };
}

function countOpenFiles(folder: string): number {
  const descriptors = "/proc/self/fd"; // Linux only; elsewhere files are not counted
  let entries: readonly string[] = [];
  try {
    entries = readdirSync(descriptors);
  } catch {
    return 0;
  }
  return entries.filter((entry) => targetOf(`${descriptors}/${entry}`).startsWith(folder)).length;
}

/** A descriptor may be closed between listing and reading. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
