import {
  createBackoff,
  ProvisioningError,
  readUntilAborted,
  requestedWaitMs,
  sleep,
  toProvisioningError,
  Watchdog,
  whenAborted,
  type Backoff,
  type Clock,
  type FoundService,
  type Random,
  type ServiceDiscovery,
} from "@holdfast/core";
import type { HealthPolicy } from "@holdfast/provisioning";

export interface SourceWatchOptions {
  readonly discovery: ServiceDiscovery;
  /** The name of the source in messages. */
  readonly name: string;
  readonly policy: HealthPolicy;
  readonly clock: Clock;
  readonly random: Random;
  /** The listeners must not throw. */
  readonly onServices: (services: readonly FoundService[], isReset: boolean) => void;
  /** The last list is still valid. */
  readonly onAlive: () => void;
  /** The watch failed, ended or was silent for longer than the timeout. It is started again. */
  readonly onFailure: (error: ProvisioningError) => void;
}

/**
 * Watches the services of one backend. A watch that fails, ends or is silent is started again after a backoff with full jitter, which is
 * reset once a watch was alive for one cooldown.
 */
export class SourceWatch implements AsyncDisposable {
  readonly #options: SourceWatchOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #aliveSince: number | undefined;

  /** Starts the watch. */
  constructor(options: SourceWatchOptions) {
    const { policy, random } = options;
    this.#options = options;
    this.#backoff = createBackoff({
      initialMs: policy.backoffInitialMs,
      maxMs: policy.backoffMaxMs,
      random,
    });
    this.#done = this.#run();
  }

  /** Ends the watch; no listener is called after this call. Resolves when the discovery has released its resources. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
    try {
      await this.#options.discovery[Symbol.asyncDispose]();
    } catch {
      // The code of an adapter; nothing can be done about it, and nothing else depends on it.
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, onFailure } = this.#options;
    // No call of a listener before the constructor has returned.
    await Promise.resolve();
    while (!signal.aborted) {
      this.#aliveSince = undefined;
      const error = await this.#watchOnce();
      if (signal.aborted) return;
      onFailure(error);
      await sleep(this.#waitMsAfter(error), { clock, signal }).catch(() => undefined);
    }
  }

  /** The backoff is added to the wait that the backend requested. */
  #waitMsAfter(error: ProvisioningError): number {
    return requestedWaitMs(error, this.#options.policy.backoffMaxMs) + this.#backoff.nextMs();
  }

  /** Runs one watch. Resolves with the reason of its end. */
  async #watchOnce(): Promise<ProvisioningError> {
    const { discovery, name, clock, policy, onServices, onAlive } = this.#options;
    const attempt = new AbortController();
    const silence = new ProvisioningError("STREAM_SILENT", `no sign of life for ${policy.timeoutMs} ms`);
    using watchdog = new Watchdog(clock, policy.timeoutMs, () => attempt.abort(silence));
    using _ = whenAborted(this.#stop.signal, () => attempt.abort());
    const { signal } = attempt;
    let hasListed = false;
    try {
      for await (const event of readUntilAborted(discovery.services({ signal }), signal)) {
        watchdog.reset();
        this.#markAlive();
        if (event.type === "services") {
          hasListed = true;
          onServices(event.services, event.isReset === true);
        } else if (hasListed) onAlive();
      }
      // A stream may end when its signal aborts.
      if (signal.reason === silence) return silence;
      return new ProvisioningError("STREAM_ENDED", `${name} ended the watch of its services`);
    } catch (error) {
      return toProvisioningError(error, "STREAM_FAILED", `the watch of the services of ${name} failed`);
    } finally {
      attempt.abort();
    }
  }

  #markAlive(): void {
    const now = this.#options.clock.monotonic();
    this.#aliveSince ??= now;
    if (now - this.#aliveSince >= this.#options.policy.cooldownMs) this.#backoff.reset();
  }
}
