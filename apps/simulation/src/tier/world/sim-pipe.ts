import { EventChannel, ProvisioningError, whenAborted, type Clock } from "@holdfast/core";
import type { TransportResponse } from "@holdfast/client";

export interface SimPipeOptions {
  readonly clock: Clock;
  readonly latencyMs: number;
  /** The response of the server. */
  readonly response: TransportResponse;
  /** Ends the request of the client. */
  readonly signal: AbortSignal;
  /** Tells the server that the client has gone. */
  readonly hangUp: () => void;
  readonly onClosed: () => void;
}

/** One connection of a link: the bytes of a response on their way to the client. */
export class SimPipe {
  /** What the client reads. */
  readonly body: EventChannel<Uint8Array>;
  readonly #options: SimPipeOptions;
  readonly #timers = new Set<Disposable>();
  readonly #abort: Disposable;
  #isClosed = false;
  #isStalled = false;
  #isSilent = false;
  #isHalved = false;
  #arrivalAt = Number.NEGATIVE_INFINITY;
  /** What arrives when the link is up again. */
  #waiting: (() => void)[] = [];

  constructor(options: SimPipeOptions) {
    const { signal } = options;
    this.#options = options;
    this.body = new EventChannel(signal);
    this.#abort = whenAborted(signal, () => this.close({ hangsUp: true }));
    void this.#read();
  }

  stall(): void {
    this.#isStalled = true;
  }

  /** Nothing arrives any more. */
  silence(): void {
    this.#isSilent = true;
  }

  /** The link is up again. */
  resume(): void {
    if (this.#isSilent) return this.break();
    this.#isStalled = false;
    for (const arrive of this.#waiting.splice(0)) arrive();
  }

  /** The next piece breaks the connection in its middle. */
  halve(): void {
    this.#isHalved = true;
  }

  break({ hangsUp = true }: { readonly hangsUp?: boolean } = {}): void {
    this.close({ error: new ProvisioningError("STREAM_FAILED", "the connection broke"), hangsUp });
  }

  close({ error, hangsUp }: { readonly error?: unknown; readonly hangsUp: boolean }): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#abort[Symbol.dispose]();
    this.body.close(error === undefined ? undefined : { error });
    if (hangsUp) this.#options.hangUp();
    this.#options.onClosed();
  }

  async #read(): Promise<void> {
    try {
      for await (const piece of this.#options.response.body) this.#send(() => this.#arrive(piece));
      this.#send(() => this.close({ hangsUp: false }));
    } catch (error) {
      this.#send(() => this.close({ error, hangsUp: false }));
    }
  }

  /** Calls `arrive` after the latency, in the order of the calls. */
  #send(arrive: () => void): void {
    const { clock, latencyMs } = this.#options;
    if (this.#isClosed) return;
    const arrivesAt = Math.max(clock.monotonic() + latencyMs, this.#arrivalAt);
    this.#arrivalAt = arrivesAt;
    const delayMs = arrivesAt - clock.monotonic();
    if (delayMs <= 0) return this.#pass(arrive);
    const timer = clock.schedule(delayMs, () => {
      this.#timers.delete(timer);
      this.#pass(arrive);
    });
    this.#timers.add(timer);
  }

  #pass(arrive: () => void): void {
    if (this.#isStalled || this.#isSilent) this.#waiting.push(arrive);
    else arrive();
  }

  #arrive(piece: Uint8Array): void {
    if (this.#isClosed) return;
    if (!this.#isHalved) return this.body.push(piece);
    this.body.push(piece.subarray(0, piece.length >> 1));
    this.break();
  }
}
