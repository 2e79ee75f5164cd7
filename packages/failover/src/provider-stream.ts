import {
  createBackoff,
  sleep,
  toProvisioningError,
  untilAborted,
  ProvisioningError,
  type Backoff,
  type Clock,
  type ClusterProvider,
  type CompositeEvent,
  type ProviderEvent,
  type ProviderSnapshot,
  type Random,
} from "@holdfast/core";
import type { HealthPolicy } from "./health-policy.ts";

/** What one provider's watch, kept alive, has to say. */
export type StreamSignal =
  | { readonly type: "connecting" }
  | { readonly type: "snapshot"; readonly snapshot: ProviderSnapshot; readonly isLate: boolean }
  | { readonly type: "heartbeat" }
  /** Alive, but no first snapshot within `lateSnapshotMs`. */
  | { readonly type: "late" }
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
 * backoff with full jitter that starts over only after a cooldown of unbroken health.
 */
export class ProviderStream implements AsyncDisposable {
  readonly #options: ProviderStreamOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
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
    const { clock, policy } = this.#options;
    const { signal } = this.#stop;
    // The owner may still be setting up: nothing is signalled before its constructor is through.
    await Promise.resolve();
    while (!signal.aborted) {
      this.#aliveSince = undefined;
      this.#signal({ type: "connecting" });
      this.#signal(await this.#watchOnce());
      if (this.#aliveSince !== undefined && clock.monotonic() - this.#aliveSince >= policy.cooldownMs) {
        this.#backoff.reset();
      }
      await sleep(this.#backoff.nextMs(), { clock, signal }).catch(() => undefined);
    }
  }

  #signal(signal: StreamSignal): void {
    if (!this.#stop.signal.aborted) this.#options.onSignal(signal);
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
    const signal = AbortSignal.any([this.#stop.signal, attempt.signal]);
    const startedAt = clock.monotonic();
    let hasSnapshot = false;
    let iterator: AsyncIterator<ProviderEvent> | undefined;
    try {
      iterator = provider.watch({ signal })[Symbol.asyncIterator]();
      for (;;) {
        const next = await untilAborted(iterator.next(), signal);
        if (next.done === true) return { type: "ended" };
        watchdog.pet();
        const event = next.value;
        switch (event.type) {
          case "snapshot":
            hasSnapshot = true;
            this.#aliveSince ??= clock.monotonic();
            this.#signal({
              type: "snapshot",
              snapshot: event.snapshot,
              isLate: this.#isLate(event.snapshot),
            });
            break;
          case "heartbeat":
            if (hasSnapshot) this.#signal(event);
            else if (clock.monotonic() - startedAt > policy.lateSnapshotMs) this.#signal({ type: "late" });
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
    } catch (error) {
      if (attempt.signal.aborted) return { type: "silent" };
      return {
        type: "failed",
        error: toProvisioningError(error, "STREAM_FAILED", `the watch on "${provider.descriptor.id}" broke`),
      };
    } finally {
      attempt.abort();
      // A watch that hangs must not hold us: it was told to stop, and that has to do.
      if (iterator?.return !== undefined) void Promise.resolve(iterator.return()).catch(() => undefined);
    }
  }

  #isLate(snapshot: ProviderSnapshot): boolean {
    const { clock, policy } = this.#options;
    return clock.now() - snapshot.observedAt + (snapshot.stalenessMs ?? 0) > policy.lateSnapshotMs;
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
