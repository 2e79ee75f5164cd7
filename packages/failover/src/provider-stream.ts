import {
  createBackoff,
  readUntilAborted,
  sleep,
  toProvisioningError,
  whenAborted,
  ProvisioningError,
  type Backoff,
  type Clock,
  type ClusterProvider,
  type CompositeEvent,
  type ProviderEvent,
  type ProviderSnapshot,
  type Random,
  type Reason,
} from "@holdfast/core";
import type { HealthPolicy } from "./health-policy.ts";

/** What one provider's watch, kept alive, has to say. */
export type StreamSignal =
  | { readonly type: "connecting" }
  | { readonly type: "snapshot"; readonly snapshot: ProviderSnapshot; readonly isLate: boolean }
  | { readonly type: "heartbeat" }
  | { readonly type: "held"; readonly reason: Reason }
  /** Alive, but no first snapshot within `lateSnapshotMs`. */
  | { readonly type: "owing" }
  | { readonly type: "failed"; readonly error: ProvisioningError }
  | { readonly type: "silent" }
  | { readonly type: "ended" }
  | InnerTermination
  | CompositeEvent;

/** Of a provider inside the provider. */
type InnerTermination = Extract<ProviderEvent, { type: "terminated" }>;

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
 * backoff with full jitter that starts over only after a cooldown of unbroken health. A failure whose
 * `details.retryAfterMs` says when to come back is heeded, up to `backoffMaxMs`.
 */
export class ProviderStream implements AsyncDisposable {
  readonly #options: ProviderStreamOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** Since when it has shown life in time without a break. */
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

  /** Ends the watch; no signal comes after the call. Resolves when nothing of it waits any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    // The owner may still be setting up: nothing is signalled before its constructor is through.
    await Promise.resolve();
    while (!signal.aborted) {
      this.#aliveSince = undefined;
      this.#signal({ type: "connecting" });
      const end = await this.#watchOnce();
      this.#signal(end);
      await sleep(this.#waitMsAfter(end), { clock, signal }).catch(() => undefined);
    }
  }

  /** The backoff on top of what the backend asked for: those who were told the same must not come back together. */
  #waitMsAfter(end: StreamSignal): number {
    const asked = end.type === "failed" ? end.error.details["retryAfterMs"] : undefined;
    const askedMs = typeof asked === "number" && asked > 0 ? asked : 0;
    return Math.min(askedMs, this.#options.policy.backoffMaxMs) + this.#backoff.nextMs();
  }

  #signal(signal: StreamSignal): void {
    if (!this.#stop.signal.aborted) this.#options.onSignal(signal);
  }

  #markAlive(isInTime: boolean): void {
    const { clock, policy } = this.#options;
    const now = clock.monotonic();
    this.#aliveSince = isInTime ? (this.#aliveSince ?? now) : undefined;
    if (this.#aliveSince !== undefined && now - this.#aliveSince >= policy.cooldownMs) this.#backoff.reset();
  }

  /** One watch from beginning to end; how it ended is the result. */
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
        watchdog.pet();
        switch (event.type) {
          case "snapshot": {
            const { snapshot } = event;
            const isLate = event.held !== undefined || this.#isLate(snapshot);
            hasSnapshot = true;
            this.#markAlive(!isLate);
            this.#signal({ type: "snapshot", snapshot, isLate });
            break;
          }
          case "heartbeat":
            if (hasSnapshot) {
              this.#markAlive(true);
              this.#signal(event);
            } else if (clock.monotonic() - startedAt > policy.lateSnapshotMs) {
              this.#signal({ type: "owing" });
            }
            break;
          case "held":
            if (hasSnapshot) this.#signal(event);
            else if (clock.monotonic() - startedAt > policy.lateSnapshotMs) this.#signal({ type: "owing" });
            break;
          case "terminated":
            // A provider made of providers says so of one of its own, and goes on.
            if (event.providerId !== undefined && event.providerId !== provider.descriptor.id) {
              this.#signal(event);
              break;
            }
            if (event.reason.kind === "ended") return { type: "ended" };
            throw new ProvisioningError(event.reason.code, `the watch on "${provider.descriptor.id}" broke`);
          default:
            this.#signal(event);
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

  #isLate(snapshot: ProviderSnapshot): boolean {
    const { clock, policy } = this.#options;
    // The wall clock may have been set back meanwhile; that makes no answer younger than its backend says.
    const ageMs = Math.max(clock.now() - snapshot.observedAt, 0);
    return ageMs + (snapshot.stalenessMs ?? 0) > policy.lateSnapshotMs;
  }
}

/** Calls `onSilence` once nobody has petted it for `timeoutMs`. One timer, however many pets. */
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

  pet(): void {
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
