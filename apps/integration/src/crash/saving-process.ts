import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { Attempt, SavingReport } from "./saving-child.ts";
import type { SavingSubject } from "./saving-subject.ts";
import { spawnTraced, type TracedProcess, type TraceOptions } from "./strace.ts";

const CHILD = join(import.meta.dirname, "saving-child.ts");

export interface SavingProcessEnd {
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
}

/** A process of `saving-child.ts` under strace. */
export class SavingProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #process: TracedProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #end: Promise<SavingProcessEnd>;

  constructor(subject: SavingSubject, folder: string, trace: TraceOptions) {
    this.#process = spawnTraced([process.execPath, CHILD, subject.name, folder], trace);
    this.pid = this.#process.pid!;
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#process.stdin.on("error", () => {});
    const closed = once(this.#process, "close");
    this.#end = Promise.all([closed, text(this.#process.stderr)]).then(([[, signal], err]) => ({
      signal,
      err,
    }));
  }

  /** Returns the result of the save; `undefined` when the process ended before. */
  async report(): Promise<SavingReport | undefined> {
    return this.#read<SavingReport>();
  }

  /** Makes it save the next state; returns the result. */
  async saveNext(): Promise<Attempt | undefined> {
    this.#process.stdin.write("\n");
    return this.#read<Attempt>();
  }

  /** Ends the input of the process. Resolves when the process and its tracer have ended. */
  end(): Promise<SavingProcessEnd> {
    this.#process.stdin.end();
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#end;
  }

  async #read<T>(): Promise<T | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : (JSON.parse(value) as T);
  }
}
