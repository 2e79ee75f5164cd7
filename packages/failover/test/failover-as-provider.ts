import {
  createSnapshot,
  EventChannel,
  ProvisioningError,
  throwIfAborted,
  untilAborted,
  type ClusterProvider,
  type ProbeOptions,
  type ProviderCapabilities,
  type ProviderDescriptor,
  type SourceEvent,
  type Update,
  type WatchOptions,
} from "@holdfast/core";
import { Failover, type FailoverOptions } from "../src/failover.ts";

/** Adapts failover to `ClusterProvider`, so that the conformance suite can run on it. Every watch runs a separate `Failover`. */
export class FailoverAsProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor = { id: "failover", kind: "failover", priority: 0, params: {} };
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #options: FailoverOptions & Required<Pick<FailoverOptions, "providers">>;
  readonly #disposal = new AbortController();
  readonly #runs = new Set<Failover>();

  constructor(options: FailoverOptions & Required<Pick<FailoverOptions, "providers">>) {
    this.#options = options;
  }

  async probe({ signal }: ProbeOptions): Promise<void> {
    this.#assertUsable();
    throwIfAborted(signal);
    const either = AbortSignal.any([signal, this.#disposal.signal]);
    const { providers = [] } = this.#options;
    const probes = Promise.any(providers.map((provider) => provider.probe({ signal: either })));
    // The suite expects the error of the provider.
    const first = probes.catch((error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error;
    });
    await untilAborted(first, either);
  }

  async *watch({ signal }: WatchOptions): AsyncGenerator<SourceEvent> {
    this.#assertUsable();
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal, this.#disposal.signal]);
    const channel = new EventChannel<SourceEvent>(either);
    const failover = new Failover(this.#options);
    this.#runs.add(failover);
    let before: Update | undefined;
    const running = failover.run({
      signal: either,
      onUpdate: (update) => {
        for (const event of this.#toEvents(update, before)) channel.push(event);
        before = update;
        if (update.availability === "unavailable") channel.close({ error: toError(update) });
      },
    });
    try {
      yield* channel;
    } finally {
      stop.abort();
      await running;
      this.#runs.delete(failover);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(new ProvisioningError("LIFECYCLE_STOPPED", "the failover was disposed of"));
    await Promise.all([...this.#runs].map((failover) => failover[Symbol.asyncDispose]()));
  }

  #toEvents({ snapshot, isFresh, availability }: Update, before: Update | undefined): readonly SourceEvent[] {
    if (availability !== "available") return [];
    // After a switch to equal content no new snapshot has been received.
    const isNew = isFresh ? snapshot !== before?.snapshot : snapshot?.hash !== before?.snapshot?.hash;
    const isRestored = before?.availability !== "available";
    if (snapshot !== undefined && (isNew || isRestored)) {
      const { id: providerId } = this.descriptor;
      return [{ type: "snapshot", snapshot: createSnapshot({ ...snapshot, providerId }) }];
    }
    return isFresh ? [{ type: "heartbeat" }] : [];
  }

  #assertUsable(): void {
    if (!this.#disposal.signal.aborted) return;
    throw new ProvisioningError("LIFECYCLE_STOPPED", "the failover was disposed of");
  }
}

function toError({ reason, cause }: Update): ProvisioningError {
  return new ProvisioningError(cause?.code ?? "TOPOLOGY_UNAVAILABLE", reason);
}
