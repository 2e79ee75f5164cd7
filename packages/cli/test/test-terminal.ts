import { Readable, Writable } from "node:stream";
import { systemClock, type Clock } from "@holdfast/core";
import type { Terminal, TerminalSignal } from "../src/terminal.ts";

export interface TestTerminalOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly clock?: Clock;
  /** Makes every write to standard output fail with this error code. */
  readonly stdoutFailure?: string;
  /** Makes every write to standard error fail with this error code. */
  readonly stderrFailure?: string;
}

/** A terminal that records its output; a test sends the signals. */
export class TestTerminal implements Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Terminal["env"] = {};
  readonly cwd: string;
  readonly pid: number = 4711;
  readonly clock: Clock;
  readonly exits: number[] = [];
  readonly #listeners = new Set<(signal: TerminalSignal) => void>();
  readonly #faultListeners = new Set<(error: unknown) => void>();
  #out = "";
  #err = "";

  constructor(options: TestTerminalOptions = {}) {
    this.cwd = options.cwd ?? process.cwd();
    this.clock = options.clock ?? systemClock;
    this.stdin = Readable.from([options.stdin ?? ""]);
    this.stdout = collect((text) => (this.#out += text), options.stdoutFailure);
    this.stderr = collect((text) => (this.#err += text), options.stderrFailure);
  }

  get out(): string {
    return this.#out;
  }

  get err(): string {
    return this.#err;
  }

  get listeners(): number {
    return this.#listeners.size + this.#faultListeners.size;
  }

  random(): number {
    return 0.5;
  }

  signal(signal: TerminalSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  onSignal(listener: (signal: TerminalSignal) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Reports an error that was thrown outside of any call. */
  fault(error: unknown): void {
    for (const listener of this.#faultListeners) listener(error);
  }

  onFault(listener: (error: unknown) => void): Disposable {
    this.#faultListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#faultListeners.delete(listener) };
  }

  exit(code: number): void {
    this.exits.push(code);
  }
}

function collect(onText: (text: string) => void, failure?: string): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      if (failure !== undefined) return done(Object.assign(new Error(`write ${failure}`), { code: failure }));
      onText(String(chunk));
      done();
    },
  });
}
