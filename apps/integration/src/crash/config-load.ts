import { isDeepStrictEqual } from "node:util";
import { sleep, systemClock, type Random } from "@holdfast/core";
import { pickSet, type CrashFolder, type IdSet } from "./crash-folder.ts";
import type { DaemonLife } from "@holdfast-apps/lab";
import type { StoreLoad } from "./store-load.ts";

export interface ConfigLoadOptions {
  readonly folder: CrashFolder;
  readonly daemon: DaemonLife;
  readonly random: Random;
  /** What may be stored at the beginning; the last one is what the configuration says. */
  readonly possible: readonly IdSet[];
}

/** Rewrites the providers in the configuration, again and again, each time followed by a SIGHUP. */
export class ConfigLoad implements StoreLoad {
  readonly #options: ConfigLoadOptions;
  readonly #stop: AbortController = new AbortController();
  readonly #asked: IdSet[];
  readonly #ended: Promise<void>;

  constructor(options: ConfigLoadOptions) {
    this.#options = options;
    this.#asked = [...options.possible];
    this.#ended = this.#run();
    // Whoever stops it is told.
    this.#ended.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  /** What the daemon last said is in force, and what it was asked for since. */
  possible(): readonly IdSet[] {
    let from = 0;
    for (const line of this.#options.daemon.lines) {
      if (line.kind !== "reloaded") continue;
      const ids = [...(line["providers"] as IdSet)].sort();
      const at = this.#asked.findIndex((asked, index) => index >= from && isDeepStrictEqual(asked, ids));
      if (at < 0) throw new Error(`the daemon has ${ids.join()} in force, which nobody asked for`);
      from = at;
    }
    return this.#asked.slice(from);
  }

  async #run(): Promise<void> {
    const { folder, daemon, random } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const ids = pickSet(random);
      this.#asked.push(ids);
      await folder.configure(ids);
      daemon.hangUp();
      await sleep(10 + random() * 120, { clock: systemClock, signal }).catch(() => {});
    }
  }
}
