import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { sleep, systemClock, type Random } from "@holdfast/core";
import { pick, PROVIDER_IDS, type CrashFolder, type IdSet } from "./crash-folder.ts";
import { type DaemonLife, HOLDFAST } from "@holdfast-apps/lab";
import type { StoreLoad } from "./store-load.ts";

export interface CommandLoadOptions {
  readonly folder: CrashFolder;
  readonly daemon: DaemonLife;
  readonly random: Random;
  /** The set that is stored at the beginning. */
  readonly stored: IdSet;
  /** Whether `stop` kills the command in progress instead of waiting for it. */
  readonly willKill: boolean;
}

/** Runs `holdfast providers add` and `remove`, one after another, each followed by a SIGHUP. */
export class CommandLoad implements StoreLoad {
  readonly #options: CommandLoadOptions;
  readonly #stop: AbortController = new AbortController();
  readonly #ended: Promise<void>;
  #possible: readonly IdSet[];
  #command: ChildProcess | undefined;

  constructor(options: CommandLoadOptions) {
    this.#options = options;
    this.#possible = [options.stored];
    this.#ended = this.#run();
    // `stop` reports the error.
    this.#ended.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    if (this.#options.willKill) this.#command?.kill("SIGKILL");
    await this.#ended;
  }

  possible(): readonly IdSet[] {
    return this.#possible;
  }

  async #run(): Promise<void> {
    const { daemon, random } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (await this.#change()) daemon.hangUp();
      if (random() < 0.3) daemon.hangUp();
      await sleep(random() * 50, { clock: systemClock, signal }).catch(() => {});
    }
  }

  /** Returns false when the command was killed. */
  async #change(): Promise<boolean> {
    const { folder, random } = this.#options;
    const [current = []] = this.#possible;
    const id = pick(random, PROVIDER_IDS);
    const isRemoval = current.includes(id) && current.length > 1;
    if (current.includes(id) !== isRemoval) return true;
    const next = isRemoval ? current.filter((each) => each !== id) : [...current, id].sort();
    this.#possible = [current, next];
    const isDone = await this.#execute(
      isRemoval ? ["remove", id] : ["add", folder.descriptorFile(id)],
      folder.configFile,
    );
    if (isDone) this.#possible = [next];
    return isDone;
  }

  async #execute(args: readonly string[], configFile: string): Promise<boolean> {
    const command = [HOLDFAST, "providers", ...args, "--config", configFile];
    const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "pipe"] });
    this.#command = child;
    let err = "";
    child.stderr.on("data", (chunk) => (err += String(chunk)));
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (signal === "SIGKILL") return false;
    if (code !== 0) throw new Error(`holdfast providers ${args.join(" ")} failed: ${err}`);
    return true;
  }
}
