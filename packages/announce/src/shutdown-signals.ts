/** The part of `process` that is used. */
export interface SignalSource {
  readonly pid: number;
  prependListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  rawListeners(signal: NodeJS.Signals): readonly unknown[];
  kill(pid: number, signal: NodeJS.Signals): unknown;
}

export interface ShutdownSignalsOptions {
  readonly signals: readonly NodeJS.Signals[];
  readonly source: SignalSource;
  /** Called with the first signal. */
  readonly onFirst: () => void;
  /** Called with each further signal. */
  readonly onAgain: () => void;
}

/** Marks the listeners of all copies of this package. */
const MARK = Symbol.for("@holdfast/announce/signal-listener");

/**
 * Listens for the signals that ask this process to end. With a listener, a signal no longer ends the process by itself.
 * So at the end the signal is sent again without the listener, unless the program listens for it too: then the program
 * decides when the process ends.
 */
export class ShutdownSignals {
  readonly #options: ShutdownSignalsOptions;
  readonly #listener: (signal: NodeJS.Signals) => void;
  #received: NodeJS.Signals | undefined;
  #hasOtherListeners = false;

  constructor(options: ShutdownSignalsOptions) {
    this.#options = options;
    this.#listener = Object.assign((signal: NodeJS.Signals) => this.#receive(signal), { [MARK]: true });
    // First, because a listener that is called once is removed before it is called, and could then not be counted.
    for (const signal of options.signals) options.source.prependListener(signal, this.#listener);
  }

  /** Stops listening. If a signal was received that only announcements listened for, it now ends the process. */
  end(): void {
    const { source, signals } = this.#options;
    for (const signal of signals) source.off(signal, this.#listener);
    const received = this.#received;
    if (received === undefined || this.#hasOtherListeners || source.rawListeners(received).length > 0) return;
    source.kill(source.pid, received);
  }

  #receive(signal: NodeJS.Signals): void {
    const { source, onFirst, onAgain } = this.#options;
    if (this.#received !== undefined) {
      onAgain();
      return;
    }
    this.#received = signal;
    this.#hasOtherListeners = source.rawListeners(signal).some((listener) => !isMarked(listener));
    onFirst();
  }
}

function isMarked(listener: unknown): boolean {
  return typeof listener === "function" && MARK in listener;
}
