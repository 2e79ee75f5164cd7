import type * as z from "zod";
import type { ProviderContext, WatchOptions } from "../provider/cluster-provider.ts";

/** A service that a backend lists. */
export interface FoundService {
  /** The name of the service in the backend. */
  readonly name: string;
  /** Further values that templates can use, such as `namespace`. `service` is always the name. */
  readonly values?: Readonly<Record<string, string>> | undefined;
}

/** Everything that the discovery of a backend's services can report. */
export type DiscoveryEvent =
  | {
      readonly type: "services";
      /** All services that match, sorted by name. Empty only when the backend answered that there are none. */
      readonly services: readonly FoundService[];
      /**
       * True when the backend lost its history, for example because its index went backwards, or when it cannot confirm that the
       * list is current. What such an answer lacks may only not have been registered again yet.
       */
      readonly isReset?: boolean | undefined;
    }
  /** The backend is alive, and the last list is still valid. */
  | { readonly type: "heartbeat" };

/** Finds the services of one backend. It only reports what the backend lists: who uses it decides what appears and disappears. */
export interface ServiceDiscovery extends AsyncDisposable {
  /**
   * Yields the current list, then every change, and a heartbeat at least every `ProviderContext.heartbeatMs` while the backend is alive.
   * Ends without an error when the signal aborts, and throws a `ProvisioningError` otherwise. An error is never reported as an empty
   * list. A new call after an error starts with the current list.
   */
  services(options: WatchOptions): AsyncIterable<DiscoveryEvent>;
}

/** The part of an adapter that finds services. */
export interface DiscoveryAdapter<P = unknown> {
  /** Checks the parameters of a discovery and fills in the defaults. */
  readonly params: z.ZodType<P>;
  /** The keys of `FoundService.values`, which every service that it finds has. A configuration is checked against them. */
  readonly values: readonly string[];
  /** Creates a discovery without I/O. It connects when `services` is first called. */
  create(params: P, context: ProviderContext): ServiceDiscovery;
}
