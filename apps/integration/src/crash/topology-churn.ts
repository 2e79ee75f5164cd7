import { sleep, systemClock, type Random } from "@holdfast/core";
import { pick, PROVIDER_IDS, type CrashFolder } from "./crash-folder.ts";

/** Rewrites topology files one after another until disposal. All files are then complete. */
export class TopologyChurn implements AsyncDisposable {
  readonly #stop: AbortController = new AbortController();
  readonly #ended: Promise<void>;

  constructor(folder: CrashFolder, random: Random) {
    this.#ended = this.#run(folder, random);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(folder: CrashFolder, random: Random): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const id = pick(random, PROVIDER_IDS);
      const common = Array.from({ length: Math.floor(random() * 20) }, (_, index) => `${id}-${index}`);
      await folder.publish(id, [...common, `${id}-of-${Math.floor(random() * 1e9)}`]);
      await sleep(5 + random() * 40, { clock: systemClock, signal }).catch(() => {});
    }
  }
}
