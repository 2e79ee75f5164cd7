import { throwIfAborted } from "../time/abort.ts";
import type { ProviderId } from "../model/provider-id.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";

/**
 * The part of `ClusterProvider` that is the same for every backend. Probes and watches end with the caller's signal, or
 * when the provider is disposed of: without an error in the first case, with `LIFECYCLE_STOPPED` in the second.
 */
export class ProviderLife {
  readonly #id: ProviderId;
  readonly #stop = new AbortController();

  constructor(id: ProviderId) {
    this.#id = id;
  }

  /** Runs a probe. `work` receives a signal that aborts with the caller's signal and at the end. */
  async probe(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    throwIfAborted(signal);
    throwIfAborted(this.#stop.signal);
    await work(AbortSignal.any([signal, this.#stop.signal]));
  }

  /** Runs a watch. Events and errors of the stream of `begin` after its signal has aborted are dropped. */
  async *watch<E>(
    signal: AbortSignal,
    begin: (signal: AbortSignal) => AsyncIterable<E>,
  ): AsyncGenerator<E, void> {
    if (signal.aborted) return;
    throwIfAborted(this.#stop.signal);
    const either = AbortSignal.any([signal, this.#stop.signal]);
    try {
      yield* begin(either);
    } catch (error) {
      if (!either.aborted) throw error;
    }
    if (!signal.aborted) throwIfAborted(this.#stop.signal);
  }

  /** Ends all probes and watches permanently. May be called again. */
  end(): void {
    const message = `the provider "${this.#id}" was disposed`;
    this.#stop.abort(new ProvisioningError("LIFECYCLE_STOPPED", message));
  }
}
