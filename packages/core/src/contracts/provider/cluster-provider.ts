import type { Random } from "../../time/backoff.ts";
import type { Clock } from "../../time/clock.ts";
import type { ProviderDescriptor } from "./provider-descriptor.ts";
import type { SourceEvent } from "./source-event.ts";
import type { Reason } from "../../errors/reason.ts";

/** The capabilities of a provider. The registry disables a provider that lacks a needed one, with that reason. */
export interface ProviderCapabilities {
  /** Streams changes through the backend's own mechanism. Required to be activated. */
  readonly watch: boolean;
}

export interface ProbeOptions {
  readonly signal: AbortSignal;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
}

/**
 * One configured backend. A provider only turns the backend's protocol into events: it does not count errors, back off,
 * fail over or compare itself with others. After disposal `probe` rejects and `watch` throws with `LIFECYCLE_STOPPED`,
 * and running watches end.
 */
export interface ClusterProvider extends AsyncDisposable {
  readonly descriptor: ProviderDescriptor;
  readonly capabilities: ProviderCapabilities;

  /**
   * Proves connectivity. Rejects with a `CONNECTIVITY_*` or `STREAM_INVALID_DATA` error, or with the reason of the
   * signal.
   */
  probe(options: ProbeOptions): Promise<void>;
  /**
   * Lists the settings that weaken security, for example disabled TLS verification, or a credential sent without TLS.
   * Reads the files and variables that the parameters name, connects to nothing, and does not reject when something
   * cannot be read, because `probe` reports that. Omit it if the provider has no such settings.
   */
  audit?(options: ProbeOptions): Promise<readonly Reason[]>;

  /**
   * Resolves once a credential differs from the last one used, so that after a refusal the next attempt need not wait
   * for the backoff. Rejects only with the reason of the signal. Omit it if credentials cannot change.
   */
  untilRenewed?(options: WatchOptions): Promise<void>;

  /**
   * Yields the current snapshot, then every change in the backend's order, and a heartbeat at least every
   * `ProviderContext.heartbeatMs` while the backend is really alive. It ends without an error when the signal aborts,
   * ends after an `ended` event when the backend ends the stream, and throws a `ProvisioningError` otherwise. An error
   * is never reported as an empty snapshot. Each call starts an independent stream; a new call after an end or an error
   * starts with the current snapshot.
   */
  watch(options: WatchOptions): AsyncIterable<SourceEvent>;
}

/** The environment of a provider. */
export interface ProviderContext {
  readonly clock: Clock;
  readonly random: Random;
  /** Longest time between two events, in milliseconds: a third of the health timeout. */
  readonly heartbeatMs: number;
}
