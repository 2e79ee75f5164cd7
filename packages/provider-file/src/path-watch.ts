import { watch, type FSWatcher } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { sleep, untilAborted, type Clock } from "@holdfast/core";
import { fileAccess } from "@holdfast/core/adapter";

/** As `fs.watch` of a folder. */
export type WatchFolder = (
  folder: string,
  onChange: (type: string, name: string | null) => void,
) => FSWatcher;

export interface PathWatchOptions {
  readonly path: string;
  readonly clock: Clock;
  /** @defaultValue the file system's */
  readonly watchFolder?: WatchFolder | undefined;
}

/** One write of a file makes several notifications: after the first, this is waited for the others. */
const BURST_MS = 20;

/**
 * Tells when it is worth looking at a path: it watches the folder the path is in and, through symbolic links, the folder
 * the file really is in. Only a help: where the file system can't notify (or inotify is exhausted), waits take their time.
 */
export class PathWatch implements Disposable {
  readonly #options: PathWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #names: ReadonlySet<string> = new Set();
  #isTouched = true;
  #isStirred = false;
  #isDisposed = false;
  #onStir: (() => void) | undefined;

  constructor(options: PathWatchOptions) {
    this.#options = options;
  }

  /** Watches the folders that the path leads to now: before each look, so that no change falls between the two. */
  arm(signal: AbortSignal): Promise<void> {
    return fileAccess.run(this.#options.path, () => this.#arm(), signal);
  }

  async #arm(): Promise<void> {
    const { path } = this.#options;
    const real = await realpath(path).catch(() => path);
    const wanted = new Map<string, string>();
    for (const folder of new Set([dirname(path), dirname(real)])) {
      const identity = await identify(folder);
      if (identity !== undefined) wanted.set(identity, folder);
    }
    this.#names = new Set([basename(path), basename(real)]);
    for (const identity of this.#watchers.keys()) if (!wanted.has(identity)) this.#close(identity);
    for (const [identity, folder] of wanted) {
      if (!this.#isDisposed && !this.#watchers.has(identity)) this.#watch(identity, folder);
    }
  }

  /** True when the file itself may have been written to since the last call. */
  takeTouched(): boolean {
    const isTouched = this.#isTouched;
    this.#isTouched = false;
    return isTouched;
  }

  /** Waits until something stirs, at most `delayMs`. Rejects as soon as the signal aborts. */
  async wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (!this.#isStirred) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onStir = resolve;
      using _ = clock.schedule(delayMs, resolve);
      await untilAborted(promise, signal);
      this.#onStir = undefined;
    }
    if (this.#isStirred) await sleep(BURST_MS, { clock, signal });
    this.#isStirred = false;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const identity of this.#watchers.keys()) this.#close(identity);
  }

  #watch(identity: string, folder: string): void {
    try {
      const watcher = (this.#options.watchFolder ?? watch)(folder, (_type, name) => this.#stir(name));
      watcher.on("error", () => this.#close(identity));
      this.#watchers.set(identity, watcher);
      this.#isTouched = true;
    } catch {
      // ENOSPC, EMFILE, or a file system without notifications: the next look tries again.
    }
  }

  #stir(name: string | null): void {
    // Another entry of the folder may be a link on the file's path, so it is worth a look, but no reading.
    if (name === null || this.#names.has(name)) this.#isTouched = true;
    this.#isStirred = true;
    this.#onStir?.();
  }

  #close(identity: string): void {
    this.#watchers.get(identity)?.close();
    this.#watchers.delete(identity);
  }
}

/** Tells a folder from another that took its place, also where that has the same inode number again. */
async function identify(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(folder, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}
