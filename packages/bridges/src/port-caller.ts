import {
  callIsolated,
  createBackoff,
  createDeadline,
  ProvisioningError,
  sleep,
  throwIfAborted,
  untilAborted,
  type Backoff,
  type PortReport,
  type Awaitable,
  type CallOptions,
} from "@holdfast/core";
import type { BridgeOptions } from "./bridge-options.ts";
import { callChannel } from "./diagnostics.ts";
import { toPortPolicy, type PortPolicy } from "./port-policy.ts";

/** One call of a port, which is repeated until it succeeds or is given up. */
export interface PortCall<T> {
  readonly call: string;
  readonly seqNo: number;
  readonly run: (options: CallOptions) => Awaitable<T>;
  /** @defaultValue `tries` of the policy */
  readonly tries?: number | undefined;
  /** Called before every repeat. Returning true gives the call up. */
  readonly isOutdated?: (() => boolean) | undefined;
}

export type CallOutcome<T> =
  | { readonly kind: "done"; readonly value: T }
  /** The call was given up because something newer replaced it. */
  | { readonly kind: "outdated" }
  /** Every try failed. */
  | { readonly kind: "failed" };

interface InProgress {
  readonly call: string;
  readonly seqNo: number;
  /** Time of the monotonic clock. */
  readonly since: number;
}

/** Calls one port. A port is user code: it may throw anything, return late or never return. */
export class PortCaller {
  readonly port: PortReport["port"];
  readonly policy: PortPolicy;
  readonly #options: BridgeOptions;
  readonly #signal: AbortSignal;
  // Kept from call to call, so that a port that fails every snapshot is not called more often when snapshots arrive
  // more often.
  readonly #backoffs = new Map<string, Backoff>();
  #current: PortCall<unknown> | undefined;
  #inProgress: InProgress | undefined;
  /** The first of the calls that are past their deadline and have not returned. */
  #overdueSince: InProgress | undefined;
  #overdue = 0;
  #failures = 0;

  constructor(port: PortReport["port"], options: BridgeOptions, signal: AbortSignal) {
    this.port = port;
    this.policy = toPortPolicy(options.calls);
    this.#options = options;
    this.#signal = signal;
  }

  /** The call that is in progress or waits for its next try. */
  get current(): PortCall<unknown> | undefined {
    return this.#current;
  }

  report(): Pick<PortReport, "port" | "failures" | "overdue" | "inProgress"> {
    const longest = this.#overdueSince ?? this.#inProgress;
    return {
      port: this.port,
      failures: this.#failures,
      overdue: this.#overdue,
      inProgress: longest && {
        call: longest.call,
        seqNo: longest.seqNo,
        forMs: this.#options.clock.monotonic() - longest.since,
      },
    };
  }

  /** Repeats a call with backoff until it succeeds or is given up. Rejects only when the signal aborts, and then at once. */
  async call<T>(call: PortCall<T>): Promise<CallOutcome<T>> {
    const signal = this.#signal;
    const { tries = this.policy.tries } = call;
    this.#current = call;
    try {
      for (let attempt = 1; ; attempt++) {
        throwIfAborted(signal);
        const startedAt = this.#options.clock.monotonic();
        try {
          const value = await this.#try(call);
          this.#publish(call, attempt, startedAt);
          this.#backoffs.delete(call.call);
          return { kind: "done", value };
        } catch (cause) {
          this.#publish(call, attempt, startedAt, { error: cause });
          throwIfAborted(signal);
          this.#failures++;
          this.#reportFailure(call, attempt, cause);
        }
        if (attempt >= tries) return { kind: "failed" };
        await sleep(this.#backoffOf(call.call).nextMs(), { clock: this.#options.clock, signal });
        if (call.isOutdated?.() === true) return { kind: "outdated" };
      }
    } finally {
      this.#current = undefined;
    }
  }

  reportError(error: ProvisioningError): void {
    callIsolated(() => this.#options.onError?.(error));
  }

  async #try<T>({ call, seqNo, run }: PortCall<T>): Promise<T> {
    const { clock } = this.#options;
    const { timeoutMs, slowAfterMs } = this.policy;
    const details = { port: this.port, call, seqNo };
    const name = `${this.port}.${call} for tick ${seqNo}`;
    using deadline = createDeadline({
      clock,
      signal: this.#signal,
      afterMs: timeoutMs,
      error: () =>
        new ProvisioningError("LIFECYCLE_CONSUMER_TIMEOUT", `${name} did not return within ${timeoutMs} ms`, {
          details: { ...details, timeoutMs },
        }),
    });
    using _ = this.#warnWhenSlow(name, details, slowAfterMs);
    const started: InProgress = { call, seqNo, since: clock.monotonic() };
    this.#inProgress = started;
    let work: Awaitable<T> | undefined;
    let hasReturned = false;
    try {
      work = run({ signal: deadline.signal });
      const value = await untilAborted(work, deadline.signal);
      hasReturned = true;
      return value;
    } catch (error) {
      hasReturned = !deadline.signal.aborted;
      throw error;
    } finally {
      this.#inProgress = undefined;
      if (!hasReturned && work !== undefined) this.#awaitOverdue(work, started);
    }
  }

  #warnWhenSlow(name: string, details: Readonly<Record<string, unknown>>, slowAfterMs: number): Disposable {
    if (slowAfterMs >= this.policy.timeoutMs) return { [Symbol.dispose]() {} };
    return this.#options.clock.schedule(slowAfterMs, () => {
      const message = `${name} has been in progress for ${slowAfterMs} ms`;
      this.reportError(
        new ProvisioningError("LIFECYCLE_CONSUMER_BEHIND", message, { details: { ...details, slowAfterMs } }),
      );
    });
  }

  /** Only counts the call. Nothing of it is kept, because it may never return. */
  #awaitOverdue(work: Awaitable<unknown>, started: InProgress): void {
    this.#overdue++;
    this.#overdueSince ??= started;
    const onReturn = () => {
      this.#overdue--;
      if (this.#overdue === 0) this.#overdueSince = undefined;
    };
    Promise.resolve(work).then(onReturn, onReturn);
  }

  #reportFailure({ call, seqNo }: PortCall<unknown>, attempt: number, cause: unknown): void {
    const details = { port: this.port, call, seqNo, attempt };
    const isTimeout = cause instanceof ProvisioningError && cause.code === "LIFECYCLE_CONSUMER_TIMEOUT";
    const name = `${this.port}.${call}`;
    this.reportError(
      isTimeout && cause.details["port"] === this.port
        ? new ProvisioningError(
            "LIFECYCLE_CONSUMER_TIMEOUT",
            `${name} for tick ${seqNo} did not return within ${this.policy.timeoutMs} ms`,
            { details: { ...details, timeoutMs: this.policy.timeoutMs } },
          )
        : new ProvisioningError("LIFECYCLE_CONSUMER_FAILED", `${name} failed for tick ${seqNo}`, {
            cause,
            details,
          }),
    );
  }

  #publish(
    { call, seqNo }: PortCall<unknown>,
    attempt: number,
    startedAt: number,
    failure?: { readonly error: unknown },
  ): void {
    if (!callChannel.hasSubscribers) return;
    const durationMs = this.#options.clock.monotonic() - startedAt;
    callChannel.publish({ port: this.port, call, seqNo, attempt, durationMs, ...failure });
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
