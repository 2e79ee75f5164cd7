import {
  createBackoff,
  createDeadline,
  ProvisioningError,
  sleep,
  toProvisioningError,
  toReason,
  untilAborted,
  type Backoff,
  type Clock,
  type Random,
  type Reason,
  type Registration,
  type RegistrationCallOptions,
} from "@holdfast/core";
import type { AnnouncementEvent } from "./announcement-event.ts";

export interface RegistrationKeeperOptions {
  readonly registration: Registration;
  readonly clock: Clock;
  readonly random: Random;
  /** The longest pause between two attempts, in milliseconds. */
  readonly maxRetryMs: number;
  /** How long removing the entry may take, in milliseconds. */
  readonly leaveMs: number;
  readonly onEvent: (event: Exclude<AnnouncementEvent, { readonly type: "draining" }>) => void;
}

/** The longest time that one call may take, in milliseconds. */
const MAX_CALL_MS = 5_000;
const FIRST_RETRY_MS = 500;

/**
 * Makes the calls of one registration: registers, beats, registers again after a loss, drains and leaves. It makes one
 * call at a time, each with a deadline. Beats come from timers of the event loop, so a process that hangs stops beating.
 */
export class RegistrationKeeper {
  readonly #options: RegistrationKeeperOptions;
  readonly #backoff: Backoff;
  /** Abort when the drain, and then the leaving, has been requested; this ends pauses, not calls. */
  readonly #draining = new AbortController();
  readonly #leaving = new AbortController();
  readonly #drained = Promise.withResolvers<void>();
  #isRegistered = false;
  #wasRegistered = false;
  /** The monotonic time of the start of the last call that the backend confirmed. */
  #confirmedAt = 0;
  #silence: Disposable | undefined;

  constructor(options: RegistrationKeeperOptions) {
    this.#options = options;
    const { random, maxRetryMs } = options;
    this.#backoff = createBackoff({ random, initialMs: FIRST_RETRY_MS, maxMs: maxRetryMs });
  }

  get wasRegistered(): boolean {
    return this.#wasRegistered;
  }

  /** Resolves once the backend has confirmed the drain, or the entry was left. */
  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  /** From now on the member is drained. */
  drain(): void {
    this.#draining.abort();
  }

  /** From now on the member is removed. Requires `drain`. */
  leave(): void {
    this.#leaving.abort();
  }

  /** Runs until the entry has been removed, or `leaveMs` after `leave` at the latest. */
  async run(): Promise<void> {
    await this.#stayRegistered();
    this.#silence?.[Symbol.dispose]();
    await this.#stayDrained();
    const reason = await this.#remove();
    this.#drained.resolve();
    this.#options.onEvent({ type: "left", reason });
  }

  async #stayRegistered(): Promise<void> {
    while (!this.#draining.signal.aborted) await this.#pause(await this.#step(), this.#draining.signal);
  }

  /** Registers or beats once. Returns the pause until the next step. */
  async #step(): Promise<number> {
    this.#detectSilence();
    const startedAt = this.#options.clock.monotonic();
    try {
      await this.#call(this.#isRegistered ? "beat" : "register");
    } catch (error) {
      return this.#onFailure(toReasonOf(error));
    }
    this.#confirm(startedAt);
    this.#backoff.reset();
    return this.#beatMs();
  }

  #onFailure(reason: Reason): number {
    const isLost = reason.code === "LIFECYCLE_REGISTRATION_LOST";
    const retryInMs = this.#retryInMs(reason);
    if (isLost && this.#isRegistered) this.#lose(reason);
    else this.#options.onEvent({ type: "failed", reason, retryInMs });
    return retryInMs;
  }

  #confirm(startedAt: number): void {
    const isAgain = this.#wasRegistered;
    const wasMissing = !this.#isRegistered;
    this.#confirmedAt = startedAt;
    this.#isRegistered = true;
    this.#wasRegistered = true;
    this.#watchSilence();
    if (wasMissing && !this.#draining.signal.aborted) this.#options.onEvent({ type: "registered", isAgain });
  }

  /** Reports the loss at the moment at which the time to live has passed, also while a call is running. */
  #watchSilence(): void {
    const { clock, registration } = this.#options;
    this.#silence?.[Symbol.dispose]();
    if (registration.ttlMs === undefined) return;
    const leftMs = this.#confirmedAt + registration.ttlMs - clock.monotonic();
    this.#silence = clock.schedule(leftMs, () => this.#detectSilence());
  }

  /** The timers of a process that hung or was suspended fire late, so this is also called before each beat. */
  #detectSilence(): void {
    const { clock, registration } = this.#options;
    const { ttlMs } = registration;
    const silentMs = clock.monotonic() - this.#confirmedAt;
    if (!this.#isRegistered || ttlMs === undefined || silentMs < ttlMs) return;
    const message = `the backend has not confirmed the registration for ${Math.round(silentMs)} ms, and its time to live is ${ttlMs} ms`;
    this.#lose({ code: "LIFECYCLE_REGISTRATION_LOST", message, details: { ttlMs, silentMs } });
  }

  #lose(reason: Reason): void {
    this.#isRegistered = false;
    this.#silence?.[Symbol.dispose]();
    if (!this.#draining.signal.aborted) this.#options.onEvent({ type: "lost", reason });
  }

  /**
   * Drains until the backend confirms it, then keeps the drained entry alive until it is to be removed. An entry that is
   * lost meanwhile is not restored, because nothing should use it any more.
   */
  async #stayDrained(): Promise<void> {
    const { signal } = this.#leaving;
    let call: "drain" | "beat" = "drain";
    let isOver = !this.#wasRegistered;
    this.#backoff.reset();
    while (!signal.aborted && !isOver) {
      let pauseMs = this.#beatMs();
      try {
        await this.#call(call);
        call = "beat";
        this.#backoff.reset();
        this.#drained.resolve();
      } catch (error) {
        const reason = toReasonOf(error);
        isOver = reason.code === "LIFECYCLE_REGISTRATION_LOST";
        pauseMs = isOver ? 0 : this.#retryInMs(reason);
        if (!isOver) this.#options.onEvent({ type: "failed", reason, retryInMs: pauseMs });
      }
      await this.#pause(pauseMs, signal);
    }
    this.#drained.resolve();
    await this.#pause(Infinity, signal);
  }

  /** Returns the reason why the backend did not confirm that the entry is gone. */
  async #remove(): Promise<Reason | undefined> {
    const { clock, leaveMs, onEvent } = this.#options;
    const endsAt = clock.monotonic() + leaveMs;
    this.#backoff.reset();
    for (;;) {
      const leftMs = endsAt - clock.monotonic();
      try {
        await this.#call("leave", leftMs);
        return undefined;
      } catch (error) {
        const reason = toReasonOf(error);
        const retryInMs = this.#retryInMs(reason);
        if (clock.monotonic() + retryInMs >= endsAt) return reason;
        onEvent({ type: "failed", reason, retryInMs });
        await sleep(retryInMs, { clock });
      }
    }
  }

  async #call(name: "register" | "beat" | "drain" | "leave", atMostMs = MAX_CALL_MS): Promise<void> {
    const { registration, clock } = this.#options;
    // A beat that gets no response leaves enough time for another one.
    const beatMs = name === "beat" && registration.ttlMs !== undefined ? registration.ttlMs / 3 : Infinity;
    const afterMs = Math.max(1, Math.min(atMostMs, MAX_CALL_MS, beatMs));
    using deadline = createDeadline({
      clock,
      afterMs,
      error: () =>
        new ProvisioningError("CONNECTIVITY_TIMEOUT", `"${name}" took more than ${Math.round(afterMs)} ms`, {
          details: { call: name, withinMs: afterMs },
        }),
    });
    const options: RegistrationCallOptions = { signal: deadline.signal };
    await untilAborted(registration[name](options), deadline.signal);
  }

  /** Full jitter, so that the processes of an agent that was restarted do not all register at the same moment. */
  #retryInMs({ details }: Reason): number {
    const wanted: unknown = details?.["retryAfterMs"];
    return Math.max(this.#backoff.nextMs(), typeof wanted === "number" ? Math.min(wanted, 60_000) : 0);
  }

  /** Up to a tenth less, so that processes that started together do not stay synchronised. */
  #beatMs(): number {
    const { registration, random } = this.#options;
    return (registration.beatMs ?? Infinity) * (1 - random() / 10);
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await sleep(ms, { clock: this.#options.clock, signal }).catch(() => undefined);
  }
}

function toReasonOf(error: unknown): Reason {
  return toReason(toProvisioningError(error, "LIFECYCLE_INTERNAL", "the registrar failed"));
}
