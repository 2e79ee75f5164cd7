import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { eventually } from "@holdfast-apps/lab";
import type { AnnouncingSettings } from "./announcing-program.ts";

const PROGRAM = join(import.meta.dirname, "announcing-program.ts");

/** A line that the process printed. */
export interface AnnouncedLine {
  readonly type: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly [key: string]: unknown;
}

/** A process that announces itself. */
export class AnnouncingProcess implements AsyncDisposable {
  readonly lines: AnnouncedLine[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  #err = "";

  constructor(settings: AnnouncingSettings) {
    this.#child = spawn(process.execPath, [PROGRAM, JSON.stringify(settings)], { stdio: "pipe" });
    this.#child.stderr.on("data", (chunk) => (this.#err += String(chunk)));
    this.#child.stdin.on("error", () => undefined);
    const reader = createInterface({ input: this.#child.stdout });
    reader.on("line", (line) => this.lines.push(JSON.parse(line) as AnnouncedLine));
    this.#closed = Promise.all([once(this.#child, "close"), once(reader, "close")]);
  }

  get types(): readonly string[] {
    return this.lines.map(({ type }) => type);
  }

  /** Resolves with the first line of this type among those after the first `skipped` lines. */
  until(type: string, skipped = 0): Promise<AnnouncedLine> {
    return eventually(() => {
      const line = this.lines.slice(skipped).find((each) => each.type === type);
      if (line === undefined)
        throw new Error(`no "${type}" after ${JSON.stringify(this.lines)} ${this.#err}`);
      return line;
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  command(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Resolves when the process has ended, with the signal that ended it or its exit code, and its output on standard error. */
  async ended(): Promise<{ readonly by: NodeJS.Signals | number | null; readonly err: string }> {
    await this.#closed;
    return { by: this.#child.signalCode ?? this.#child.exitCode, err: this.#err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}
