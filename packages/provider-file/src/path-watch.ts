import { watch, type FSWatcher } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { sleep, untilAborted, type Clock } from "@holdfast/core";
import { fileAccess } from "@holdfast/core/adapter";

/** Like `fs.watch` for a folder. */
export type WatchFolder = (
  folder: string,
  onChange: (type: string, name: string | null) => void,
) => FSWatcher;

export interface PathWatchOptions {
  readonly path: string;
  readonly clock: Clock;
  /** @defaultValue `fs.watch` */
  readonly watchFolder?: WatchFolder | undefined;
}

/**
 * How long to wait for further notifications after the first one, in milliseconds, because one write of a file causes
 * several.
 */
const BURST_MS = 20;

/**
 * Detects when a path should be checked. It watches the folder of the path and, through symbolic links, the folder of
 * the real file. This is only an optimisation: where the file system cannot notify (or inotify is exhausted), waits
 * last for their whole time.
 */
export class PathWatch implements Disposable {
  readonly #options: PathWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #names: ReadonlySet<string> = new Set();
  #isChanged = true;
  #isNotified = false;
  #isDisposed = false;
  #onNotified: (() => void) | undefined;

  constructor(options: PathWatchOptions) {
    this.#options = options;
  }

  /**
   * Watches the folders that the path currently leads to. Call it before each check, so that no change is missed
   * between the two.
   */
  watchFolders(signal: AbortSignal): Promise<void> {
    return fileAccess.run(this.#options.path, () => this.#watchFolders(), signal);
  }

  async #watchFolders(): Promise<void> {
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

  /** Returns true when the file itself may have been written to since the last call. */
  takeChanged(): boolean {
    const isChanged = this.#isChanged;
    this.#isChanged = false;
    return isChanged;
  }

  /** Waits for a notification, at most for `delayMs`. Rejects as soon as the signal aborts. */
  async wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (!this.#isNotified) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onNotified = resolve;
      using _ = clock.schedule(delayMs, resolve);
      await untilAborted(promise, signal);
      this.#onNotified = undefined;
    }
    if (this.#isNotified) await sleep(BURST_MS, { clock, signal });
    this.#isNotified = false;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const identity of this.#watchers.keys()) this.#close(identity);
  }

  #watch(identity: string, folder: string): void {
    try {
      const watcher = (this.#options.watchFolder ?? watch)(folder, (_type, name) => this.#notify(name));
      watcher.on("error", () => this.#close(identity));
      this.#watchers.set(identity, watcher);
      this.#isChanged = true;
    } catch {
      // ENOSPC, EMFILE, or a file system without notifications: the next check tries again.
    }
  }

  #notify(name: string | null): void {
    // Another entry of the folder may be a link on the file's path, so the path is checked, but the file need not be
    // read.
    if (name === null || this.#names.has(name)) this.#isChanged = true;
    this.#isNotified = true;
    this.#onNotified?.();
  }

  #close(identity: string): void {
    this.#watchers.get(identity)?.close();
    this.#watchers.delete(identity);
  }
}

/** Identifies a folder, also when another one replaced it and has the same inode number. */
async function identify(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(folder, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}
