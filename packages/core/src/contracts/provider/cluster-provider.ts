import type { Random } from "../../time/backoff.ts";
import type { Clock } from "../../time/clock.ts";
import type { ProviderDescriptor } from "./provider-descriptor.ts";
import type { SourceEvent } from "./source-event.ts";
import type { Reason } from "../../errors/reason.ts";

/** What a provider can do. What it can't is said here, and the registry disables it with that reason. */
export interface ProviderCapabilities {
  /** Streams changes through the backend's own mechanism. Needed to be activated. */
  readonly watch: boolean;
}

export interface ProbeOptions {
  readonly signal: AbortSignal;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
}

/**
 * One configured backend. It only turns the backend's protocol into events: it does not count errors, back off, fail over
 * or compare itself with others. After disposal `probe` rejects and `watch` throws with `LIFECYCLE_STOPPED`; running watches end.
 */
export interface ClusterProvider extends AsyncDisposable {
  readonly descriptor: ProviderDescriptor;
  readonly capabilities: ProviderCapabilities;

  /** Proves connectivity; rejects with a `CONNECTIVITY_*` or `STREAM_INVALID_DATA` error, or as the signal aborts. */
  probe(options: ProbeOptions): Promise<void>;
  /**
   * Lists the settings that weaken security, for example TLS verification that is off, or a credential sent without TLS.
   * Reads what the parameters name, connects to nothing, and does not reject for what cannot be read: `probe` reports that.
   * A provider without such settings leaves it out.
   */
  audit?(options: ProbeOptions): Promise<readonly Reason[]>;

  /**
   * Resolves once a credential is another one than the last that was used, so that after a refusal the next attempt need not wait for
   * the backoff. Rejects only as the signal aborts. A provider whose credentials cannot change leaves it out.
   */
  untilRenewed?(options: WatchOptions): Promise<void>;

  /**
   * First the current snapshot, then every change, in the backend's order, and a heartbeat at least every
   * `ProviderContext.heartbeatMs` while the backend is really alive. It ends quietly when the signal aborts, ends after
   * `terminated` when the backend says the stream is over, and throws a `ProvisioningError` otherwise. An error is never
   * an empty snapshot. Each call is a stream of its own; a new call after an end or a throw starts afresh.
   */
  watch(options: WatchOptions): AsyncIterable<SourceEvent>;
}

/** What a provider gets from its surroundings. */
export interface ProviderContext {
  readonly clock: Clock;
  readonly random: Random;
  /** A heartbeat is due at least this often: a third of the health timeout, in milliseconds. */
  readonly heartbeatMs: number;
}
