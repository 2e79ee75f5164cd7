import type { SnapshotHash } from "../../model/content-hash.ts";
import type { ErrorCode } from "../../errors/error-codes.ts";
import type { GuardHold } from "./guard-hold.ts";
import type { ProviderId } from "../../model/provider-id.ts";
import type { ProviderHealth } from "../../model/provider-health.ts";
import type { SwitchReason } from "./switch-reason.ts";
import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";
import type { Reason } from "../../errors/reason.ts";

/** How a watch came to its end. */
export type ProviderTermination =
  | { readonly kind: "ended" }
  | {
      readonly kind: "errored";
      readonly code: ErrorCode;
      /** For people: what failed and where; see `Reason`. */
      readonly message?: string | undefined;
      readonly details?: Readonly<Record<string, unknown>> | undefined;
    };

/** Everything an adapter can report. */
export type SourceEvent =
  | {
      readonly type: "snapshot";
      readonly snapshot: ProviderSnapshot;
      /**
       * Nothing was heard just now: a provider made of providers shows what one of them said before, as it takes over or a guard
       * lets go. @defaultValue false
       */
      readonly isRepeat?: boolean;
      /** The backend answered, but does not vouch that this content is current (a stale read, a relay); see `held`. */
      readonly held?: Reason | undefined;
    }
  /** Alive, nothing new: what the last snapshot says still holds. */
  | { readonly type: "heartbeat" }
  /** Alive, but the last snapshot may be out of date. The provider is `degraded` until a snapshot or heartbeat without it. */
  | { readonly type: "held"; readonly reason: Reason }
  | {
      readonly type: "terminated";
      readonly reason: ProviderTermination;
      /** Whose stream it was; a provider made of providers says which. */
      readonly providerId?: ProviderId;
      /** Of the last snapshot it brought. */
      readonly snapshotHash?: SnapshotHash;
    };

/** Whether the providers together can serve. `degraded`: the last snapshot is held. `unavailable`: no provider can serve. */
export type Availability = "available" | "degraded" | "unavailable";

/** Further events of a provider that is made of providers. */
export type CompositeEvent =
  /** Comes before the first snapshot of `to`. */
  | {
      readonly type: "provider_changed";
      readonly from: ProviderId;
      readonly to: ProviderId;
      readonly reason: SwitchReason;
      /** What was wrong with `from`, where something was. */
      readonly cause?: Reason | undefined;
    }
  | {
      readonly type: "health_changed";
      readonly providerId: ProviderId;
      readonly from: ProviderHealth;
      readonly to: ProviderHealth;
      readonly reason?: Reason | undefined;
    }
  /** Emitted again with the same `availability` when `reason` has changed. */
  | {
      readonly type: "availability_changed";
      readonly availability: Availability;
      /** For people; never empty. */
      readonly reason: string;
      /** The failure behind it, where there is one. */
      readonly cause?: Reason | undefined;
    }
  /**
   * A guard begins to hold something, ahead of the content that shows it, or lets go of it, after the content. Told again when
   * `nodes` or `until` changes.
   */
  | { readonly type: "guard_changed"; readonly isHolding: boolean; readonly hold: GuardHold };

export type ProviderEvent = SourceEvent | CompositeEvent;
