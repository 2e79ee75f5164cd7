import { throwIfAborted } from "../time/abort.ts";
import type { ProviderId } from "../model/provider-id.ts";
import type { SourceEvent } from "../contracts/provider/source-event.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";

/**
 * The part of `ClusterProvider` that is the same for every backend: what is under way ends with the caller's signal or with
 * the provider, quietly in the one case and with `LIFECYCLE_STOPPED` in the other.
 */
export class ProviderLife {
  readonly #id: ProviderId;
  readonly #stop = new AbortController();

  constructor(id: ProviderId) {
    this.#id = id;
  }

  /** A probe: `work` gets a signal that aborts with the caller's or at the end of the life. */
  async probe(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    throwIfAborted(signal);
    throwIfAborted(this.#stop.signal);
    await work(AbortSignal.any([signal, this.#stop.signal]));
  }

  /** A watch: whatever `begin`'s stream does once its signal has aborted, what it throws included, is not passed on. */
  async *watch(
    signal: AbortSignal,
    begin: (signal: AbortSignal) => AsyncIterable<SourceEvent>,
  ): AsyncGenerator<SourceEvent, void> {
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

  /** Ends it for good; may be repeated. */
  end(): void {
    const message = `the provider "${this.#id}" was disposed`;
    this.#stop.abort(new ProvisioningError("LIFECYCLE_STOPPED", message));
  }
}
