import {
  createBackoff,
  readUntilAborted,
  requestedWaitMs,
  sleep,
  toProvisioningError,
  untilAborted,
  Watchdog,
  whenAborted,
  ProvisioningError,
  type Backoff,
  type Clock,
  type ClusterProvider,
  type ErrorCode,
  type ProviderSnapshot,
  type ProviderId,
  type Random,
  type Reason,
} from "@holdfast/core";
import { providerChannel } from "./diagnostics.ts";
import type { HealthPolicy } from "./health-policy.ts";
import type { StreamSignal } from "./stream-signal.ts";

/** Errors that new credentials may resolve. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "CONNECTIVITY_UNAUTHORIZED",
  "CONNECTIVITY_UNKNOWN_TOKEN",
  "CONNECTIVITY_SECRET_UNAVAILABLE",
]);

/** The minimum time between a refusal and an attempt with new credentials, in milliseconds. */
const MIN_RENEWAL_MS = 1_000;

export interface ProviderStreamOptions {
  readonly provider: ClusterProvider;
  readonly policy: HealthPolicy;
  readonly clock: Clock;
  readonly random: Random;
  /** Called for each signal, in order; must not throw. */
  readonly onSignal: (signal: StreamSignal) => void;
}

/**
 * Keeps one watch running: starts it again after it has ended, failed, or was silent for longer than the timeout, each time after a
 * backoff with full jitter. The backoff is reset only after the watch was healthy for one cooldown without interruption. When the error
 * has `details.retryAfterMs`, the stream waits for that time in addition, up to `backoffMaxMs`.
 */
export class ProviderStream implements AsyncDisposable {
  readonly #options: ProviderStreamOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** Since when the watch has delivered without an interruption and without a late snapshot. */
  #aliveSince: number | undefined;

  /** Starts the watch. */
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

  /** Ends the watch; `onSignal` is not called after this call. Resolves when the watch has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    // No signal before the constructor has returned, because the owner may not be ready to receive it.
    await Promise.resolve();
    while (!signal.aborted) {
      this.#aliveSince = undefined;
      this.#signal({ type: "connecting" });
      const end = await this.#watchOnce();
      this.#signal(end);
      await this.#rest(end);
    }
  }

  /** Waits for the backoff to pass or, after a refusal, for new credentials if they come earlier. */
  async #rest(end: StreamSignal): Promise<void> {
    const { clock, provider } = this.#options;
    const over = new AbortController();
    using _ = whenAborted(this.#stop.signal, () => over.abort());
    const { signal } = over;
    const waits = [sleep(this.#waitMsAfter(end), { clock, signal })];
    if (end.type === "failed" && REFUSALS.has(end.error.code) && provider.untilRenewed !== undefined) {
      waits.push(this.#untilRenewed(signal));
    }
    // If the wait for credentials fails, the backoff still has to pass.
    await Promise.any(waits).catch(() => undefined);
    over.abort();
    await Promise.allSettled(waits);
  }

  /** Waits for new credentials, and for `MIN_RENEWAL_MS` in any case: frequent renewals must not cause frequent requests. */
  async #untilRenewed(signal: AbortSignal): Promise<void> {
    const { clock, provider } = this.#options;
    await sleep(MIN_RENEWAL_MS, { clock, signal });
    await untilAborted(provider.untilRenewed?.({ signal }), signal);
  }

  /** The backoff is added to the wait that the backend requested, so that clients with the same Retry-After do not all return at once. */
  #waitMsAfter(end: StreamSignal): number {
    const error = end.type === "failed" ? end.error : undefined;
    return requestedWaitMs(error, this.#options.policy.backoffMaxMs) + this.#backoff.nextMs();
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
            assertTimes(snapshot, provider.descriptor.id);
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
            } else this.#signalAwaiting(startedAt, event.reason);
            break;
          case "ended":
            if (event.reason === undefined) return { type: "ended" };
            throw toError(event.reason);
        }
      }
      // A stream may end when its signal aborts.
      return { type: signal.reason === silence ? "silent" : "ended" };
    } catch (error) {
      if (signal.reason === silence) return { type: "silent" };
      return {
        type: "failed",
        error: toProvisioningError(error, "STREAM_FAILED", `the watch on "${provider.descriptor.id}" failed`),
      };
    } finally {
      attempt.abort();
    }
  }

  /** Returns why the snapshot is late; `undefined` when it is not. */
  #lateness(snapshot: ProviderSnapshot): Reason | undefined {
    const { clock, policy } = this.#options;
    // If the wall clock was set back, the difference is negative. That must not reduce the age that the backend reported.
    const readMs = Math.max(clock.now() - snapshot.observedAt, 0);
    const exactMs = readMs + (snapshot.stalenessMs ?? 0);
    const { lateSnapshotMs } = policy;
    if (exactMs <= lateSnapshotMs) return undefined;
    const ageMs = Math.round(exactMs);
    const message = `the snapshot was ${ageMs} ms old when it arrived, more than ${lateSnapshotMs} ms`;
    return { code: "STREAM_LATE", message, details: { ageMs, lateSnapshotMs } };
  }

  /** `held` is why the backend cannot send a snapshot, if it says so. */
  #signalAwaiting(startedAt: number, held?: Reason): void {
    const { clock, policy } = this.#options;
    if (clock.monotonic() - startedAt <= policy.lateSnapshotMs) return;
    const waitedMs = Math.round(clock.monotonic() - startedAt);
    const message = `alive, but no first snapshot for ${waitedMs} ms`;
    const late: Reason = { code: "STREAM_LATE", message, details: { waitedMs } };
    this.#signal({ type: "awaiting", reason: held ?? late });
  }
}

/** Checks the times of a snapshot, because an adapter may violate its types. With NaN every comparison would be false. */
function assertTimes({ observedAt, stalenessMs = 0 }: ProviderSnapshot, id: ProviderId): void {
  if (Number.isFinite(observedAt) && Number.isFinite(stalenessMs)) return;
  const name = Number.isFinite(observedAt) ? "stalenessMs" : "observedAt";
  const message = `"${id}" sent a snapshot whose "${name}" is not a finite number of milliseconds`;
  throw new ProvisioningError("STREAM_INVALID_DATA", message, { details: { field: name } });
}

function toError({ code, message, details }: Reason): ProvisioningError {
  return new ProvisioningError(code, message, details && { details });
}
