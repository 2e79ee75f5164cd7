import { EXIT_CODE } from "../exit-code.ts";
import type { Terminal, TerminalSignal } from "../terminal.ts";

/**
 * Signals within this time count as one key press, in milliseconds: wrappers such as npm forward a Ctrl-C to a process
 * that has already received it from the terminal.
 */
const SAME_PRESS_MS = 500;

/**
 * Translates signals into requests. The first signal to stop starts the drain; a second one after `SAME_PRESS_MS` ends
 * the process at once.
 */
export class DaemonSignals implements Disposable {
  /** Called for SIGUSR2. */
  onAccept: (() => void) | undefined;
  readonly #terminal: Terminal;
  readonly #shutdown: AbortController = new AbortController();
  readonly #subscription: Disposable;
  #onHangup: (() => void) | undefined;
  #isHangupPending = false;
  #firstAt: number | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#subscription = terminal.onSignal((signal) => this.#receive(signal));
  }

  /** Aborts when the daemon must drain and stop. */
  get shutdown(): AbortSignal {
    return this.#shutdown.signal;
  }

  /** Called for SIGHUP. Called immediately if one has arrived before. */
  set onHangup(listener: () => void) {
    this.#onHangup = listener;
    if (this.#isHangupPending) listener();
    this.#isHangupPending = false;
  }

  requestShutdown(): void {
    this.#shutdown.abort();
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #receive(signal: TerminalSignal): void {
    if (signal === "SIGHUP") return this.#hangUp();
    if (signal === "SIGUSR2") return this.onAccept?.();
    const now = this.#terminal.clock.monotonic();
    this.#firstAt ??= now;
    this.requestShutdown();
    if (now - this.#firstAt >= SAME_PRESS_MS) this.#terminal.exit(EXIT_CODE.interrupted);
  }

  #hangUp(): void {
    if (this.#onHangup === undefined) this.#isHangupPending = true;
    else this.#onHangup();
  }
}
