import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Path of the script of the command. */
export const MAIN: string = join(import.meta.dirname, "..", "src", "main.ts");

/** One line that the daemon printed. */
export interface DaemonLine {
  readonly kind: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read arbitrary fields
  readonly [key: string]: any;
}

export interface DaemonExit {
  readonly code: number | null;
  readonly err: string;
}

export interface DaemonProcessOptions {
  /** @defaultValue Node */
  readonly program?: string;
  /** A file descriptor for standard output. @defaultValue a pipe that is read here */
  readonly stdout?: number | "pipe";
}

/** Returns `undefined` for a line that a killed daemon did not finish. */
function parseLine(line: string): DaemonLine | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** A daemon as a separate process that prints JSON, with the lines printed so far. */
export class DaemonProcess implements AsyncDisposable {
  readonly lines: DaemonLine[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #exit: Promise<DaemonExit>;
  #err = "";
  #arrived = Promise.withResolvers<void>();

  /** Runs a script and its arguments. */
  constructor(command: readonly string[], options: DaemonProcessOptions = {}) {
    const { program = process.execPath, stdout = "pipe" } = options;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test that sets `stdout` does not read it here
    this.#child = spawn(program, [...command, "--json"], {
      stdio: ["ignore", stdout, "pipe"],
    }) as ChildProcessByStdio<null, Readable, Readable>;
    this.#child.stderr.on("data", (chunk) => (this.#err += String(chunk)));
    this.#exit = once(this.#child, "close").then(([code]) => {
      this.#arrived.resolve();
      return { code, err: this.#err };
    });
  }

  static run(configFile: string, args: readonly string[] = ["--port", "0"]): DaemonProcess {
    return new DaemonProcess([MAIN, "run", "--config", configFile, ...args]);
  }

  /** The text on standard error so far. */
  get err(): string {
    return this.#err;
  }

  get stdout(): Readable {
    return this.#child.stdout;
  }

  /** Starts to read; use `until` to wait for lines. */
  read(): this {
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const parsed = parseLine(line);
      if (parsed === undefined) this.#err += `not a line of JSON: ${line}\n`;
      else this.lines.push(parsed);
      this.#arrived.resolve();
    });
    return this;
  }

  /** Waits for the first line from index `from` that `fits` accepts. Throws when the process ends without it. */
  async until(fits: (line: DaemonLine) => boolean, from = 0): Promise<DaemonLine> {
    for (;;) {
      const { promise } = (this.#arrived = Promise.withResolvers());
      const line = this.lines.slice(from).find(fits);
      if (line !== undefined) return line;
      if (this.#child.exitCode !== null) throw new Error(`the daemon ended: ${this.#err}`);
      await promise;
    }
  }

  /** The URL of the endpoints. */
  async url(): Promise<string> {
    const { url } = await this.until(({ kind }) => kind === "started");
    return String(url);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when the process has ended. */
  exit(): Promise<DaemonExit> {
    return this.#exit;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    this.#child.stdout?.resume();
    await this.#exit;
  }
}
