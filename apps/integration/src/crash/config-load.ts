import { isDeepStrictEqual } from "node:util";
import { sleep, systemClock, type Random } from "@holdfast/core";
import { pickSet, type CrashFolder, type IdSet } from "./crash-folder.ts";
import type { DaemonLife } from "@holdfast-apps/lab";
import type { StoreLoad } from "./store-load.ts";

export interface ConfigLoadOptions {
  readonly folder: CrashFolder;
  readonly daemon: DaemonLife;
  readonly random: Random;
  /** The sets of which one is stored at the beginning; the last one is the set in the configuration. */
  readonly possible: readonly IdSet[];
}

/** Rewrites the providers in the configuration repeatedly, each time followed by a SIGHUP. */
export class ConfigLoad implements StoreLoad {
  readonly #options: ConfigLoadOptions;
  readonly #stop: AbortController = new AbortController();
  readonly #configured: IdSet[];
  readonly #ended: Promise<void>;

  constructor(options: ConfigLoadOptions) {
    this.#options = options;
    this.#configured = [...options.possible];
    this.#ended = this.#run();
    // `stop` reports the error.
    this.#ended.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  /** The set that the daemon last reported as in force, and all sets configured since. */
  possible(): readonly IdSet[] {
    let from = 0;
    for (const line of this.#options.daemon.lines) {
      if (line.kind !== "reloaded") continue;
      const ids = [...(line["providers"] as IdSet)].sort();
      const at = this.#configured.findIndex(
        (configured, index) => index >= from && isDeepStrictEqual(configured, ids),
      );
      if (at < 0) throw new Error(`the daemon has ${ids.join()} in force, which was not configured`);
      from = at;
    }
    return this.#configured.slice(from);
  }

  async #run(): Promise<void> {
    const { folder, daemon, random } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const ids = pickSet(random);
      this.#configured.push(ids);
      await folder.configure(ids);
      daemon.hangUp();
      await sleep(10 + random() * 120, { clock: systemClock, signal }).catch(() => {});
    }
  }
}
