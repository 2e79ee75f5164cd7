import {
  callIsolated,
  createBackoff,
  ProvisioningError,
  sleep,
  throwIfAborted,
  untilAborted,
  type Backoff,
} from "@holdfast/core";
import type { BridgeOptions } from "./bridge-options.ts";
import type { Awaitable, CallOptions } from "./port-call.ts";

/** One call of a port, made until it succeeds. */
export interface PortCall<T> {
  readonly port: string;
  readonly call: string;
  readonly seqNo: number;
  run(options: CallOptions): Awaitable<T>;
  /** Asked before every repeat: true gives the call up. */
  isOutdated?(): boolean;
}

/** Calls ports, which are other people's code: they may throw anything, answer late or never. */
export class PortCaller {
  readonly #options: BridgeOptions;
  readonly #signal: AbortSignal;
  // Kept over calls, so that a port which fails every snapshot is not tried the faster the more snapshots there are.
  readonly #backoffs = new Map<string, Backoff>();
  #current: PortCall<unknown> | undefined;

  constructor(options: BridgeOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** The call under way, or waiting for its next try. */
  get current(): PortCall<unknown> | undefined {
    return this.#current;
  }

  /**
   * Repeats a call with backoff until it succeeds; `undefined` when it was given up as outdated. Rejects only when the
   * signal aborts, at once, whatever the port does.
   */
  async call<T>(call: PortCall<T>): Promise<{ readonly value: T } | undefined> {
    const signal = this.#signal;
    const name = `${call.port}.${call.call}`;
    this.#current = call;
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal);
      try {
        const value = await untilAborted(call.run({ signal }), signal);
        this.#current = undefined;
        this.#backoffs.delete(name);
        return { value };
      } catch (cause) {
        throwIfAborted(signal);
        const { port, call: method, seqNo } = call;
        const details = { port, call: method, seqNo, attempt };
        const message = `${name} failed for tick ${seqNo}`;
        this.report(new ProvisioningError("LIFECYCLE_CONSUMER_FAILED", message, { cause, details }));
      }
      await sleep(this.#backoffOf(name).nextMs(), { clock: this.#options.clock, signal });
      if (call.isOutdated?.() === true) {
        this.#current = undefined;
        return undefined;
      }
    }
  }

  report(error: ProvisioningError): void {
    callIsolated(() => this.#options.onError?.(error));
  }

  #backoffOf(name: string): Backoff {
    const known = this.#backoffs.get(name);
    if (known !== undefined) return known;
    const { random, backoff: { initialMs = 100, maxMs = 30_000, factor } = {} } = this.#options;
    const backoff = createBackoff({ initialMs, maxMs, factor, random });
    this.#backoffs.set(name, backoff);
    return backoff;
  }
}
