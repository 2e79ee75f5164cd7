import { Readable, Writable } from "node:stream";
import { systemClock, type Clock } from "@holdfast/core";
import type { Terminal, TerminalSignal } from "../terminal.ts";

export interface TestTerminalOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly clock?: Clock;
}

/** A terminal that remembers what it was shown and sends signals when told to. */
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
  #out = "";
  #err = "";

  constructor(options: TestTerminalOptions = {}) {
    this.cwd = options.cwd ?? process.cwd();
    this.clock = options.clock ?? systemClock;
    this.stdin = Readable.from([options.stdin ?? ""]);
    this.stdout = collect((text) => (this.#out += text));
    this.stderr = collect((text) => (this.#err += text));
  }

  get out(): string {
    return this.#out;
  }

  get err(): string {
    return this.#err;
  }

  get listeners(): number {
    return this.#listeners.size;
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

  exit(code: number): void {
    this.exits.push(code);
  }
}

function collect(onText: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      onText(String(chunk));
      done();
    },
  });
}
