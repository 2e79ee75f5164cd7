import type { ProviderSnapshot, ProvisioningError, Reason } from "@holdfast/core";

/** An event on the watch of one provider. */
export type StreamSignal =
  | { readonly type: "connecting" }
  | {
      readonly type: "snapshot";
      readonly snapshot: ProviderSnapshot;
      /** Why the snapshot may be out of date: it arrived late, or the backend does not confirm it. */
      readonly staleness?: Reason | undefined;
    }
  | { readonly type: "heartbeat" }
  | { readonly type: "held"; readonly reason: Reason }
  /** The backend is alive, but has not sent the first snapshot within `lateSnapshotMs`. */
  | { readonly type: "awaiting"; readonly reason: Reason }
  | { readonly type: "failed"; readonly error: ProvisioningError }
  | { readonly type: "silent" }
  | { readonly type: "ended" };
