import {
  callIsolated,
  createDeadline,
  createTypedEvents,
  OneAtATime,
  ProvisioningError,
  sleep,
  toProvisioningError,
  untilAborted,
  type Clock,
  type Random,
  type Registration,
  type TypedEvents,
  type Unsubscribe,
} from "@holdfast/core";
import type { AnnouncementEvent, AnnouncementState, AnnouncementStatus } from "./announcement-event.ts";
import { RegistrationKeeper } from "./registration-keeper.ts";
import { ShutdownSignals, type SignalSource } from "./shutdown-signals.ts";

export interface AnnouncementOptions {
  readonly registration: Registration;
  readonly clock: Clock;
  readonly random: Random;
  readonly drainMs: number;
  readonly finish: ((options: { readonly signal: AbortSignal }) => unknown) | undefined;
  readonly finishMs: number;
  readonly leaveMs: number;
  readonly maxRetryMs: number;
  readonly onWarning: (warning: ProvisioningError) => unknown;
  readonly signals: readonly NodeJS.Signals[];
  readonly signalSource: SignalSource;
}

export interface AnnouncementWaitOptions {
  /** Ends the wait, and nothing else: what was begun continues. */
  readonly signal?: AbortSignal | undefined;
}

export interface LeaveOptions extends AnnouncementWaitOptions {
  /** When true, callers get no time to notice the drain; `drainMs` is not waited for. @defaultValue false */
  readonly isImmediate?: boolean | undefined;
}

/** The announcement of this process, made by `announce`. Leave it, or declare it with `await using`. */
export class Announcement implements AsyncDisposable {
  readonly #options: AnnouncementOptions;
  readonly #keeper: RegistrationKeeper;
  readonly #signals: ShutdownSignals;
  readonly #events: TypedEvents<{ change: AnnouncementEvent }>;
  readonly #queue: OneAtATime<AnnouncementEvent>;
  readonly #running: Promise<void>;
  /** Aborts when the wait after the drain is to end. */
  readonly #hurry = new AbortController();
  readonly #left = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();
  #state: AnnouncementState;
  #leaving: Promise<void> | undefined;

  constructor(options: AnnouncementOptions) {
    const { clock, registration, signals, signalSource: source } = options;
    this.#options = options;
    this.#state = { status: "registering", since: clock.now() };
    this.#events = createTypedEvents((error) => this.#warn("a listener of the announcement threw", error));
    this.#queue = new OneAtATime((event) => this.#events.emit("change", event));
    this.#keeper = new RegistrationKeeper({ ...options, onEvent: (event) => this.#onEvent(event) });
    for (const { code, message, details } of registration.audit?.() ?? [])
      this.#onWarning(new ProvisioningError(code, message, details === undefined ? {} : { details }));
    this.#signals = new ShutdownSignals({
      signals,
      source,
      onFirst: () => void this.leave(),
      onAgain: () => void this.leave({ isImmediate: true }),
    });
    this.#running = this.#keeper.run();
  }

  get state(): AnnouncementState {
    return this.#state;
  }

  /** Calls the listener with every event, in order. An error that it throws is a warning. */
  onChange(listener: (event: AnnouncementEvent) => unknown): Unsubscribe {
    return this.#events.on("change", listener);
  }

  /**
   * Resolves once the backend lists this process. Failures do not reject it, because the registration is tried for ever.
   * Rejects with `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED` when the announcement drains or is over, or with the
   * reason of the signal.
   */
  async ready({ signal }: AnnouncementWaitOptions = {}): Promise<void> {
    for (;;) {
      const { status } = this.#state;
      if (status === "registered") return;
      if (status === "draining")
        throw new ProvisioningError("LIFECYCLE_SHUTTING_DOWN", "this process is draining");
      if (status === "left") throw new ProvisioningError("LIFECYCLE_STOPPED", "this process has left");
      await untilAborted(this.#changed.promise, signal);
    }
  }

  /**
   * Makes the backend stop listing this process, which cannot be taken back. Resolves once the backend has confirmed it,
   * or the announcement is over.
   */
  async drain({ signal }: AnnouncementWaitOptions = {}): Promise<void> {
    this.#startDrain();
    await untilAborted(this.#keeper.drained, signal);
  }

  /**
   * Drains, waits for `drainMs`, calls `finish`, and removes the entry. Resolves when it is over: also when the backend
   * does not respond, because every step has a time limit. `state.reason` then has the failure.
   */
  async leave({ signal, isImmediate = false }: LeaveOptions = {}): Promise<void> {
    if (isImmediate) this.#hurry.abort();
    this.#leaving ??= this.#leave();
    await untilAborted(this.#leaving, signal);
  }

  /** Resolves when it is over: after `leave`, also when another part of the program called it, or after a signal of the operating system. */
  async untilLeft({ signal }: AnnouncementWaitOptions = {}): Promise<void> {
    await untilAborted(this.#left.promise, signal);
  }

  /** The same as `leave()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  async #leave(): Promise<void> {
    this.#startDrain();
    if (this.#keeper.wasRegistered) await this.#waitForCallers();
    await this.#finish();
    this.#keeper.leave();
    await this.#running;
    await this.#close();
    this.#left.resolve();
    this.#signals.end();
  }

  async #close(): Promise<void> {
    const { registration, clock, leaveMs } = this.#options;
    using late = createDeadline({ clock, afterMs: leaveMs, error: notClosed });
    try {
      await untilAborted(registration[Symbol.asyncDispose](), late.signal);
    } catch (error) {
      this.#warn("the registration could not be disposed of", error);
    }
  }

  /** Waits until the backend has confirmed the drain, at most for `leaveMs`, and then for `drainMs`. */
  async #waitForCallers(): Promise<void> {
    const { clock, drainMs, leaveMs } = this.#options;
    const { signal } = this.#hurry;
    {
      using late = createDeadline({ clock, signal, afterMs: leaveMs, error: unconfirmed });
      await untilAborted(this.#keeper.drained, late.signal).catch(() => undefined);
    }
    if (!signal.aborted) await sleep(drainMs, { clock, signal }).catch(() => undefined);
  }

  async #finish(): Promise<void> {
    const { finish, finishMs, clock } = this.#options;
    if (finish === undefined) return;
    using deadline = createDeadline({
      clock,
      afterMs: finishMs,
      error: () =>
        new ProvisioningError("LIFECYCLE_DRAIN_DEADLINE", `"finish" took more than ${finishMs} ms`, {
          details: { withinMs: finishMs },
        }),
    });
    try {
      await untilAborted(Promise.resolve(finish({ signal: deadline.signal })), deadline.signal);
    } catch (error) {
      this.#warn(`"finish" failed`, error);
    }
  }

  #startDrain(): void {
    if (this.#state.status === "draining" || this.#state.status === "left") return;
    this.#keeper.drain();
    this.#emit({ type: "draining" }, "draining");
  }

  #onEvent(event: AnnouncementEvent): void {
    if (event.type !== "failed") {
      this.#emit(event, event.type);
      return;
    }
    this.#state = { ...this.#state, reason: event.reason };
    this.#emit(event);
  }

  #emit(event: AnnouncementEvent, status?: AnnouncementStatus): void {
    if (status !== undefined) {
      const reason = "reason" in event ? event.reason : undefined;
      this.#state = {
        status,
        since: this.#options.clock.now(),
        ...(reason !== undefined && { reason }),
      };
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    this.#queue.push(event);
  }

  #warn(message: string, error: unknown): void {
    this.#onWarning(toProvisioningError(error, "LIFECYCLE_CONSUMER_FAILED", message));
  }

  #onWarning(warning: ProvisioningError): void {
    callIsolated(() => this.#options.onWarning(warning));
  }
}

function unconfirmed(): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_TIMEOUT", "the backend did not confirm the drain in time");
}

function notClosed(): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_TIMEOUT", "the registration did not end in time");
}
