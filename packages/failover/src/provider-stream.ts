import {
  createBackoff,
  readUntilAborted,
  sleep,
  toProvisioningError,
  untilAborted,
  whenAborted,
  ProvisioningError,
  type Backoff,
  type Clock,
  type ClusterProvider,
  type ErrorCode,
  type ProviderSnapshot,
  type Random,
  type Reason,
} from "@holdfast/core";
import { providerChannel } from "./diagnostics.ts";
import type { HealthPolicy } from "./health-policy.ts";
import type { StreamSignal } from "./stream-signal.ts";

/** Failures that other credentials may end. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "CONNECTIVITY_UNAUTHORIZED",
  "CONNECTIVITY_UNKNOWN_TOKEN",
  "CONNECTIVITY_SECRET_UNAVAILABLE",
]);

/** The least time between a refusal and an attempt with other credentials, in milliseconds. */
const LEAST_RENEWAL_MS = 1_000;

export interface ProviderStreamOptions {
  readonly provider: ClusterProvider;
  readonly policy: HealthPolicy;
  readonly clock: Clock;
  readonly random: Random;
  /** Called in order; must not throw. */
  readonly onSignal: (signal: StreamSignal) => void;
}

/**
 * Keeps one watch alive: begins it again after an end, a failure or a silence longer than the timeout, each time after a
 * backoff with full jitter. The backoff starts over only after a cooldown of unbroken health. When the error has
 * `details.retryAfterMs`, that time is waited in addition, up to `backoffMaxMs`.
 */
export class ProviderStream implements AsyncDisposable {
  readonly #options: ProviderStreamOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** When its unbroken, timely life began. */
  #aliveSince: number | undefined;

  /** Begins at once. */
  constructor(options: ProviderStreamOptions) {
    const { policy, random } = options;
    this.#options = options;
    this.#backoff = createBackoff({
      initialMs: policy.backoffInitialMs,
      maxMs: policy.backoffMaxMs,
      random,
    });
    this.#done = this.#run();
  }

  /** Ends the watch; no signal comes after the call. Resolves when the watch has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    // Signals nothing before the constructor has returned: the owner may still be setting up.
    await Promise.resolve();
    while (!signal.aborted) {
      this.#aliveSince = undefined;
      this.#signal({ type: "connecting" });
      const end = await this.#watchOnce();
      this.#signal(end);
      await this.#rest(end);
    }
  }

  /** Waits for the backoff or, after a refusal, until the credentials are other ones, whichever is first. */
  async #rest(end: StreamSignal): Promise<void> {
    const { clock, provider } = this.#options;
    const over = new AbortController();
    using _ = whenAborted(this.#stop.signal, () => over.abort());
    const { signal } = over;
    const waits = [sleep(this.#waitMsAfter(end), { clock, signal })];
    if (end.type === "failed" && REFUSALS.has(end.error.code) && provider.untilRenewed !== undefined) {
      waits.push(this.#untilRenewed(signal));
    }
    // A wait for credentials that fails must not end the backoff early.
    await Promise.any(waits).catch(() => undefined);
    over.abort();
    await Promise.allSettled(waits);
  }

  /** Not before a second has passed: credentials that are replaced all the time must not cause requests all the time. */
  async #untilRenewed(signal: AbortSignal): Promise<void> {
    const { clock, provider } = this.#options;
    await sleep(LEAST_RENEWAL_MS, { clock, signal });
    await untilAborted(provider.untilRenewed?.({ signal }), signal);
  }

  /** The backoff is added to what the backend asked for, so that clients with the same Retry-After do not return together. */
  #waitMsAfter(end: StreamSignal): number {
    const asked = end.type === "failed" ? end.error.details["retryAfterMs"] : undefined;
    const askedMs = typeof asked === "number" && asked > 0 ? asked : 0;
    return Math.min(askedMs, this.#options.policy.backoffMaxMs) + this.#backoff.nextMs();
  }

  #signal(signal: StreamSignal): void {
    if (this.#stop.signal.aborted) return;
    const { provider, onSignal } = this.#options;
    if (providerChannel.hasSubscribers)
      providerChannel.publish({ providerId: provider.descriptor.id, signal });
    onSignal(signal);
  }

  #markAlive(isInTime: boolean): void {
    const { clock, policy } = this.#options;
    const now = clock.monotonic();
    this.#aliveSince = isInTime ? (this.#aliveSince ?? now) : undefined;
    if (this.#aliveSince !== undefined && now - this.#aliveSince >= policy.cooldownMs) this.#backoff.reset();
  }

  /** Runs one watch; returns how it ended. */
  async #watchOnce(): Promise<StreamSignal> {
    const { provider, clock, policy } = this.#options;
    const attempt = new AbortController();
    const silence = new ProvisioningError(
      "STREAM_SILENT",
      `no sign of life from "${provider.descriptor.id}"`,
    );
    using watchdog = new Watchdog(clock, policy.timeoutMs, () => attempt.abort(silence));
    using _ = whenAborted(this.#stop.signal, () => attempt.abort());
    const { signal } = attempt;
    const startedAt = clock.monotonic();
    let hasSnapshot = false;
    try {
      for await (const event of readUntilAborted(provider.watch({ signal }), signal)) {
        watchdog.reset();
        switch (event.type) {
          case "snapshot": {
            const { snapshot } = event;
            const staleness = event.held ?? this.#lateness(snapshot);
            hasSnapshot = true;
            this.#markAlive(staleness === undefined);
            this.#signal({ type: "snapshot", snapshot, ...(staleness && { staleness }) });
            break;
          }
          case "heartbeat":
            if (hasSnapshot) {
              this.#markAlive(true);
              this.#signal(event);
            } else this.#signalAwaiting(startedAt);
            break;
          case "held":
            if (hasSnapshot) {
              this.#markAlive(false);
              this.#signal(event);
            } else this.#signalAwaiting(startedAt);
            break;
          case "ended":
            if (event.reason === undefined) return { type: "ended" };
            throw toError(event.reason);
        }
      }
      return { type: "ended" };
    } catch (error) {
      if (signal.reason === silence) return { type: "silent" };
      return {
        type: "failed",
        error: toProvisioningError(error, "STREAM_FAILED", `the watch on "${provider.descriptor.id}" broke`),
      };
    } finally {
      attempt.abort();
    }
  }

  /** Why the snapshot is late; undefined when it is in time. */
  #lateness(snapshot: ProviderSnapshot): Reason | undefined {
    const { clock, policy } = this.#options;
    // The wall clock may have been set back meanwhile; that does not make a snapshot younger than its backend says.
    const readMs = Math.max(clock.now() - snapshot.observedAt, 0);
    const exactMs = readMs + (snapshot.stalenessMs ?? 0);
    const { lateSnapshotMs } = policy;
    if (exactMs <= lateSnapshotMs) return undefined;
    const ageMs = Math.round(exactMs);
    const message = `the snapshot was ${ageMs} ms old when it arrived, more than ${lateSnapshotMs} ms`;
    return { code: "STREAM_LATE", message, details: { ageMs, lateSnapshotMs } };
  }

  #signalAwaiting(startedAt: number): void {
    const { clock, policy } = this.#options;
    if (clock.monotonic() - startedAt <= policy.lateSnapshotMs) return;
    const waitedMs = Math.round(clock.monotonic() - startedAt);
    const message = `alive, but no first snapshot for ${waitedMs} ms`;
    this.#signal({ type: "awaiting", reason: { code: "STREAM_LATE", message, details: { waitedMs } } });
  }
}

function toError({ code, message, details }: Reason): ProvisioningError {
  return new ProvisioningError(code, message, details && { details });
}

/** Calls `onSilence` after `timeoutMs` without a call to `reset()`. Uses one timer however often it is reset. */
class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onSilence: () => void;
  #heardAt: number;
  #timer: Disposable;

  constructor(clock: Clock, timeoutMs: number, onSilence: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onSilence = onSilence;
    this.#heardAt = clock.monotonic();
    this.#timer = clock.schedule(timeoutMs, () => this.#check());
  }

  reset(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #check(): void {
    const leftMs = this.#heardAt + this.#timeoutMs - this.#clock.monotonic();
    if (leftMs <= 0) this.#onSilence();
    else this.#timer = this.#clock.schedule(leftMs, () => this.#check());
  }
}
