import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { MAIN } from "../daemon-process.ts";

/** A daemon as a separate process, with everything it prints. */
export class WatchedDaemon implements AsyncDisposable {
  out = "";
  err = "";
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #exit: Promise<number | null>;
  #arrived = Promise.withResolvers<void>();

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, [MAIN, "run", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout.on("data", (chunk) => this.#take("out", String(chunk)));
    this.#child.stderr.on("data", (chunk) => this.#take("err", String(chunk)));
    this.#exit = once(this.#child, "close").then(([code]: (number | null)[]) => {
      this.#arrived.resolve();
      return code ?? null;
    });
  }

  /** Waits until `fits` accepts the printed text. Throws when the process ends before. */
  async until(fits: (out: string) => boolean): Promise<void> {
    while (!fits(this.out)) {
      if (this.#child.exitCode !== null) throw new Error(`the daemon ended: ${this.err}`);
      const { promise } = (this.#arrived = Promise.withResolvers());
      await promise;
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  exit(): Promise<number | null> {
    return this.#exit;
  }

  /** The command lines of the process and its children; empty where the system does not provide them. */
  async commandLines(): Promise<string> {
    const pids = await readdir("/proc").catch((): string[] => []);
    const lines = pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const isOurs = pid === String(this.#child.pid) || status.includes(`\nPPid:\t${this.#child.pid}\n`);
      if (!isOurs) return "";
      const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
      return name + (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
    });
    return (await Promise.all(lines)).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  #take(where: "out" | "err", text: string): void {
    this[where] += text;
    this.#arrived.resolve();
  }
}
