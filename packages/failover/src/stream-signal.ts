import type { ProviderSnapshot, ProvisioningError, Reason } from "@holdfast/core";

/** What happens on one provider's watch. */
export type StreamSignal =
  | { readonly type: "connecting" }
  | {
      readonly type: "snapshot";
      readonly snapshot: ProviderSnapshot;
      /** Why it may be out of date: it arrived late, or the backend does not vouch for it. */
      readonly staleness?: Reason | undefined;
    }
  | { readonly type: "heartbeat" }
  | { readonly type: "held"; readonly reason: Reason }
  /** Alive, but no first snapshot within `lateSnapshotMs`. */
  | { readonly type: "awaiting"; readonly reason: Reason }
  | { readonly type: "failed"; readonly error: ProvisioningError }
  | { readonly type: "silent" }
  | { readonly type: "ended" };
