import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { sleep, systemClock } from "@holdfast/core";

/** The `holdfast` command as a script. */
export const HOLDFAST: string = join(dirname(fileURLToPath(import.meta.resolve("@holdfast/cli"))), "main.ts");

const PATIENCE_MS = 30_000;

/** A document that the daemon printed. */
export interface DaemonLine {
  readonly kind: string;
  readonly epoch?: string;
  readonly seqNo?: number;
  readonly [key: string]: unknown;
}

/** What `/topology` says, as far as it is looked at. */
export interface TopologyDocument {
  readonly epoch: string;
  readonly seqNo: number;
  readonly status: string;
  readonly providerId: string | null;
  readonly providers: readonly { readonly providerId: string }[];
  readonly members: readonly { readonly id: string }[];
}

/** One process of `holdfast run`, and everything it has printed. */
export class DaemonLife implements AsyncDisposable {
  readonly lines: DaemonLine[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  #err = "";
  #more = Promise.withResolvers<void>();
  /** What could not be read: at most what was cut off at the end. */
  #unread: string[] = [];

  /** `starter` is a command that becomes the one it is given, such as `env`. */
  constructor(configFile: string, starter: readonly string[] = []) {
    const command = [HOLDFAST, "run", "--config", configFile, "--port", "0", "--json"];
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

  /** The first line that fits, already there or to come. */
  async until(fits: (line: DaemonLine) => boolean): Promise<DaemonLine> {
    for (let seen = 0; ;) {
      const line = this.lines.slice(seen).find(fits);
      if (line !== undefined) return line;
      seen = this.lines.length;
      await this.moreThan(seen);
    }
  }

  /** Resolves once it has printed more lines than that. */
  async moreThan(count: number): Promise<void> {
    const late = new AbortController();
    const patience = sleep(PATIENCE_MS, { clock: systemClock, signal: late.signal }).catch(() => {});
    try {
      while (this.lines.length <= count) {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null)
          throw new Error(`the daemon ended: ${this.#err}`);
        const isLate = await Promise.race([patience.then(() => true), this.#more.promise]);
        if (isLate === true) throw new Error(`nothing more came after ${JSON.stringify(this.lines.at(-1))}`);
      }
    } finally {
      late.abort();
    }
  }

  async url(): Promise<string> {
    return String((await this.until(({ kind }) => kind === "started"))["url"]);
  }

  async topology(): Promise<TopologyDocument> {
    const answer = await fetch(`${await this.url()}/topology`);
    return (await answer.json()) as TopologyDocument;
  }

  /** Asks it to reload. Before it has started the signal would end it, so then nothing is done. */
  hangUp(): void {
    if (this.lines.length > 0) this.#child.kill("SIGHUP");
  }

  /** `kill -9`. Resolves when it is gone and all that it printed is read. Throws when it had complained or ended by itself. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
    const { signalCode } = this.#child;
    if (signalCode !== "SIGKILL" || this.#err !== "") throw new Error(`the daemon ended: ${this.#err}`);
    if (this.#unread.length > 1) throw new Error(`the daemon printed what is no JSON: ${this.#unread[0]}`);
  }

  /** SIGTERM. Resolves when it has ended: its exit code, and what it printed on standard error. */
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
      // Cut off at the very end when it was killed while it wrote.
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
