import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { DaemonCommand, DaemonMeasured } from "./commands.ts";
import type { DaemonProgram } from "./daemon-program.ts";

export interface FollowedDaemonOptions {
  /** The `holdfast` command as a script, and the module with the adapter. */
  readonly program: DaemonProgram;
  readonly members: number;
  readonly clients: number;
}

/** A process of `holdfast run` whose members change on command, and which measures itself. */
export class FollowedDaemon implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.url = url;
  }

  static async start({ program, members, clients }: FollowedDaemonOptions): Promise<FollowedDaemon> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
    const config = join(folder, "holdfast.json");
    await writeFile(
      config,
      JSON.stringify({
        adapters: [program.adapter],
        providers: [{ id: "changing", kind: "changing", priority: 1, params: { members } }],
        http: { port: 0, maxEventClients: clients },
        lastKnownGood: false,
      }),
    );
    const child = fork(program.command, ["run", "--config", config, "--json"], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      execArgv: [],
    });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let url = "";
    createInterface({ input: child.stdout! }).on("line", (line) => {
      if (url === "") ({ url } = JSON.parse(line) as { url: string });
      if (line.includes('"to":"ready"')) resolve(url);
    });
    child.once("exit", (code) => reject(new Error(`the daemon exited with ${code} before it was ready`)));
    return new FollowedDaemon(child, folder, await promise);
  }

  change(everyMs: number): void {
    this.#send({ type: "change", everyMs });
  }

  reset(): void {
    this.#send({ type: "reset" });
  }

  async measure(): Promise<DaemonMeasured> {
    this.#send({ type: "measure" });
    const [measured] = (await once(this.#child, "message")) as [DaemonMeasured];
    return measured;
  }

  /** Resident memory now and its peak since `resetPeak`, in MiB. Only on Linux. */
  async memoryMb(): Promise<{ readonly now: number; readonly peak: number }> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8");
    const read = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1_024;
    return { now: read("VmRSS"), peak: read("VmHWM") };
  }

  async resetPeak(): Promise<void> {
    await writeFile(`/proc/${this.#child.pid}/clear_refs`, "5");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  #send(command: DaemonCommand): void {
    this.#child.send(command);
  }
}
