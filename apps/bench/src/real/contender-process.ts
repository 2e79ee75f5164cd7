import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ContenderName, Target } from "./contender.ts";
import type { Command, Report } from "./contender-main.ts";

export type Seen = Extract<Report, { type: "seen" }>;
export type Measured = Extract<Report, { type: "measured" }>;

/** Controls a contender in a separate process. */
export class ContenderProcess implements AsyncDisposable {
  readonly name: ContenderName;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<(report: Report) => void>();
  #last: Seen | undefined;
  #exit: string | undefined;

  constructor(name: ContenderName, target: Target) {
    this.name = name;
    this.#child = fork(join(import.meta.dirname, "contender-main.ts"), [], { execArgv: ["--expose-gc"] });
    this.#child.on("message", (report: Report) => {
      if (report.type === "seen") this.#last = report;
      for (const wait of this.#waiting) wait(report);
    });
    this.#child.on("exit", (code, signal) => (this.#exit = String(code ?? signal)));
    this.#send({ type: "follow", contender: name, target });
  }

  /**
   * Waits for an observation that `isIt` accepts. Returns when it was made, in nanoseconds of the clock that all
   * processes of a machine share.
   */
  async seen(isIt: (seen: Seen) => boolean): Promise<bigint> {
    if (this.#last !== undefined && isIt(this.#last)) return BigInt(this.#last.at);
    const { at } = await this.#next((report): report is Seen => report.type === "seen" && isIt(report));
    return BigInt(at);
  }

  async measure(): Promise<Measured> {
    const measured = this.#next((report): report is Measured => report.type === "measured");
    this.#send({ type: "measure" });
    return measured;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit !== undefined) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #send(command: Command): void {
    this.#child.send(command);
  }

  /** Rejects after 30 seconds, because a contender can miss a change permanently. */
  async #next<T extends Report>(isIt: (report: Report) => report is T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const wait = (report: Report) => {
      if (isIt(report)) resolve(report);
    };
    const timer = setTimeout(
      () => reject(new Error(`${this.name} observed no change for 30 s; exit: ${this.#exit ?? "none"}`)),
      30_000,
    );
    this.#waiting.add(wait);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(wait);
    }
  }
}
