import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ClientsCommand, ClientsReport } from "./commands.ts";

export type ClientsMeasured = Extract<ClientsReport, { type: "measured" }>;

/** Clients of a daemon in another process. */
export class ClientsProcess implements AsyncDisposable {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, "clients-main.ts"), [], { execArgv: [] });

  /** Opens connections at once. Returns the time until all clients have the state, in milliseconds. */
  async open(count: number, url: string): Promise<number> {
    const report = await this.#ask({ type: "open", count, url });
    if (report.type !== "opened") throw new Error("an unexpected report of the clients");
    return report.ms;
  }

  reset(): void {
    this.#child.send({ type: "reset" } satisfies ClientsCommand);
  }

  async measure(): Promise<ClientsMeasured> {
    const report = await this.#ask({ type: "measure" });
    if (report.type !== "measured") throw new Error("an unexpected report of the clients");
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  async #ask(command: ClientsCommand): Promise<ClientsReport> {
    const { promise, reject } = Promise.withResolvers<never>();
    const onExit = (code: number | null) => reject(new Error(`the clients ended with ${code}`));
    this.#child.once("exit", onExit);
    this.#child.send(command);
    const [report] = (await Promise.race([once(this.#child, "message"), promise])) as [ClientsReport];
    this.#child.off("exit", onExit);
    return report;
  }
}
