import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";
import type { Reason } from "../../errors/reason.ts";

/** Everything an adapter can report about its backend. */
export type SourceEvent =
  | {
      readonly type: "snapshot";
      readonly snapshot: ProviderSnapshot;
      /**
       * Set when the backend responded but does not guarantee that this content is current (a stale read, a relay); see
       * `held`.
       */
      readonly held?: Reason | undefined;
    }
  /** The backend is alive, and the last snapshot is still valid. */
  | { readonly type: "heartbeat" }
  /**
   * The backend is alive, but the last snapshot may be out of date. The provider is `degraded` until a snapshot without `held` or
   * a heartbeat.
   */
  | { readonly type: "held"; readonly reason: Reason }
  /**
   * The backend ended the stream. This is the last event of a watch. `reason` is the backend's error; absent when it
   * gave none.
   */
  | { readonly type: "ended"; readonly reason?: Reason | undefined };
