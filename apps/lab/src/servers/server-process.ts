import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { sleep, systemClock } from "@holdfast/core";

export interface ServerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** How long a server may take to start, in milliseconds. */
const START_MS = 60_000;
const KEPT_LOG = 20_000;

/** A server process of a test, which can be killed, frozen, and started again on the same ports. */
export class ServerProcess implements AsyncDisposable {
  readonly #command: ServerCommand;
  readonly #isReady: () => Promise<boolean>;
  #child: ChildProcess | undefined;
  #log = "";

  /** `isReady` sends a request to the server; it may throw while the server is not reachable. */
  constructor(command: ServerCommand, isReady: () => Promise<boolean>) {
    this.#command = command;
    this.#isReady = isReady;
  }

  /** Resolves when the server is ready. */
  async start(): Promise<void> {
    const { file, args, cwd } = this.#command;
    const child = spawn(file, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    const keep = (text: Buffer) => {
      this.#log = (this.#log + text.toString()).slice(-KEPT_LOG);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const startedAt = systemClock.monotonic();
    while (!(await this.#isReady().catch(() => false))) {
      if (child.exitCode !== null || systemClock.monotonic() - startedAt > START_MS)
        throw new Error(`${file} did not start\n${this.#log}`);
      await sleep(50, { clock: systemClock });
    }
  }

  /** The id of the running process. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Suspends the process: its connections stay open, and it sends nothing. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    // SIGKILL also ends a suspended process.
    child.kill("SIGKILL");
    await gone;
  }

  /** Kills the server with SIGKILL and starts it again on the same ports. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
