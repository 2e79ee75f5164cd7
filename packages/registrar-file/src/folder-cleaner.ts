import { readdir, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@holdfast/core";
import { MAX_ENTRY_BYTES, parseEntryHeader } from "./entry-file.ts";
import { isEntryName, isTemporaryName } from "./entry-name.ts";
import { LastTouch } from "./last-touch.ts";

export interface FolderCleanerOptions {
  readonly folder: string;
  /** The time to live of the process that cleans, in milliseconds. */
  readonly ttlMs: number;
  readonly clock: Clock;
}

/** An abandoned file is removed after this many times its time to live. Until then, a process that was suspended can resume it. */
const LIVES = 10;

/** Removes what processes have left behind that were killed. Every process of the folder does this. */
export class FolderCleaner {
  readonly #options: FolderCleanerOptions;
  readonly #touches: LastTouch;
  #cleanedAt = -Infinity;

  constructor(options: FolderCleanerOptions) {
    this.#options = options;
    this.#touches = new LastTouch(options.clock);
  }

  /** Cleans at most once per time to live. Ignores what it cannot read or remove. */
  async clean(): Promise<void> {
    const { folder, ttlMs, clock } = this.#options;
    if (clock.monotonic() - this.#cleanedAt < ttlMs) return;
    this.#cleanedAt = clock.monotonic();
    const names = (await readdir(folder)).filter((name) => isEntryName(name) || isTemporaryName(name));
    this.#touches.keep(new Set(names));
    for (const name of names) await this.#cleanOne(name).catch(() => undefined);
  }

  async #cleanOne(name: string): Promise<void> {
    const path = join(this.#options.folder, name);
    const stats = await stat(path, { bigint: true });
    const idleMs = this.#touches.observe(name, stats);
    const ttlMs = await this.#ttlOf(name, path, idleMs, stats.size);
    if (ttlMs !== undefined && idleMs >= LIVES * ttlMs) await unlink(path);
  }

  /** Returns `undefined` for a file that no registrar has written. Reads a file only when it may be old enough. */
  async #ttlOf(name: string, path: string, idleMs: number, size: bigint): Promise<number | undefined> {
    if (isTemporaryName(name)) return this.#options.ttlMs;
    if (idleMs === 0 || size > MAX_ENTRY_BYTES) return undefined;
    return parseEntryHeader(await readFile(path, "utf8"))?.ttlMs;
  }
}
