import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { sleep, systemClock } from "@holdfast/core";

/** The `holdfast` command as a script. */
export const HOLDFAST: string = join(dirname(fileURLToPath(import.meta.resolve("@holdfast/cli"))), "main.ts");

const MAX_WAIT_MS = 30_000;

/** A document that the daemon printed. */
export interface DaemonLine {
  readonly kind: string;
  readonly epoch?: string;
  readonly seqNo?: number;
  readonly [key: string]: unknown;
}

/** The fields of `/topology` that tests read. */
export interface TopologyDocument {
  readonly epoch: string;
  readonly seqNo: number;
  readonly status: string;
  readonly providerId: string | null;
  readonly providers: readonly { readonly providerId: string }[];
  readonly members: readonly { readonly id: string }[];
}

export interface DaemonLifeOptions {
  /** A command that executes the command in its arguments, such as `env`. @defaultValue none */
  readonly starter?: readonly string[];
  /** The port of the HTTP endpoints; 0 for any free port. @defaultValue 0 */
  readonly port?: number;
}

/** One process of `holdfast run`, and all its output. */
export class DaemonLife implements AsyncDisposable {
  readonly lines: DaemonLine[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  #err = "";
  #more = Promise.withResolvers<void>();
  /** Lines that are not JSON. Only a last line that was cut off is allowed. */
  #unread: string[] = [];

  constructor(configFile: string, { starter = [], port = 0 }: DaemonLifeOptions = {}) {
    const command = [HOLDFAST, "run", "--config", configFile, "--port", String(port), "--json"];
    const [program = "", ...args] = [...starter, process.execPath, ...command];
    this.#child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stderr.on("data", (chunk) => (this.#err += String(chunk)));
    const reader = createInterface({ input: this.#child.stdout });
    reader.on("line", (line) => this.#receive(line));
    this.#closed = Promise.all([once(this.#child, "close"), once(reader, "close")]).then(() => this.#wake());
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves with the first line that fits, printed already or later. */
  async until(fits: (line: DaemonLine) => boolean): Promise<DaemonLine> {
    for (let seen = 0; ;) {
      const line = this.lines.slice(seen).find(fits);
      if (line !== undefined) return line;
      seen = this.lines.length;
      await this.moreThan(seen);
    }
  }

  /** Resolves once it has printed more than `count` lines. */
  async moreThan(count: number): Promise<void> {
    const late = new AbortController();
    const timeout = sleep(MAX_WAIT_MS, { clock: systemClock, signal: late.signal }).catch(() => {});
    try {
      while (this.lines.length <= count) {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null)
          throw new Error(`the daemon ended: ${this.#err}`);
        const isLate = await Promise.race([timeout.then(() => true), this.#more.promise]);
        if (isLate === true)
          throw new Error(`no further line was printed after ${JSON.stringify(this.lines.at(-1))}`);
      }
    } finally {
      late.abort();
    }
  }

  async url(): Promise<string> {
    return String((await this.until(({ kind }) => kind === "started"))["url"]);
  }

  async topology(name = "default"): Promise<TopologyDocument> {
    const response = await fetch(`${await this.url()}/topologies/${name}`);
    return (await response.json()) as TopologyDocument;
  }

  /** Makes it reload, with SIGHUP. Does nothing before it has started, because the signal would then end it. */
  hangUp(): void {
    if (this.lines.length > 0) this.#child.kill("SIGHUP");
  }

  /** Kills it with SIGKILL. Resolves when it has ended and its output was read. Throws if it had ended before, or printed an error. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
    const { signalCode } = this.#child;
    if (signalCode !== "SIGKILL" || this.#err !== "") throw new Error(`the daemon ended: ${this.#err}`);
    if (this.#unread.length > 1)
      throw new Error(`the daemon printed a line that is not JSON: ${this.#unread[0]}`);
  }

  /** Stops it with SIGTERM. Resolves with its exit code and its output on standard error. */
  async stop(): Promise<{ readonly code: number | null; readonly err: string }> {
    this.#child.kill("SIGTERM");
    await this.#closed;
    return { code: this.#child.exitCode, err: this.#err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  #receive(line: string): void {
    try {
      // The last line is cut off if the process was killed while it wrote.
      this.lines.push(JSON.parse(line) as DaemonLine);
    } catch {
      this.#unread.push(line);
    }
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
