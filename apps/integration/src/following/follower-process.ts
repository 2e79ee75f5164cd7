import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FollowersReport } from "./followers-main.ts";

const MAIN = fileURLToPath(new URL("followers-main.ts", import.meta.url));

/** A process with any number of followers of the same daemons. */
export class FollowerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(count: number, ...urls: readonly string[]) {
    this.#child = fork(MAIN, [String(count), ...urls], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async report(): Promise<FollowersReport> {
    const answer = once(this.#child, "message");
    this.#child.send("report");
    const [report] = (await answer) as [FollowersReport];
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
