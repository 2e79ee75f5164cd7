import type { Clock, NodeBlocks, ProvisioningError, Random, TopologySource } from "@holdfast/core";
import type { EjectionOptions } from "./ejection/ejection-options.ts";
import type { SlowStartOptions } from "./selection/slow-start.ts";
import type { StatusEffectOverrides } from "./selection/status-effects.ts";

export interface ZoneOptions {
  /** The zone of this client, as in `zone` of the members. */
  readonly name: string;
  /**
   * Where the callers of the topology are: their number in each zone, or the topology of the calling service, whose
   * members are counted. @defaultValue the same number in each zone
   */
  readonly callers?: Readonly<Record<string, number>> | TopologySource | undefined;
}

export interface SubsetOptions {
  /** The number of members that this client works with, if there are more. With a zone: of its own, and of all others. */
  readonly size: number;
  /** Selects the subset: another one for each id, and the same one again after a restart with the same id. @defaultValue random */
  readonly clientId?: string | undefined;
}

export interface EndpointsOptions {
  /** A hub, a `Topology` of `holdfast`, or a `FollowedTopology` of `@holdfast/client`. It stays open when the endpoints are closed. */
  readonly topology: TopologySource;
  /** Changes what single statuses mean for callers. @defaultValue `STATUS_EFFECTS` */
  readonly statusEffects?: StatusEffectOverrides | undefined;
  /**
   * How long the last known members are used while no provider can serve, in milliseconds; `Infinity` for as long as it
   * takes. @defaultValue 3600000
   */
  readonly keepUnavailableMs?: number | undefined;
  /** Prefers members in the client's zone. @defaultValue no preference */
  readonly zone?: string | ZoneOptions | undefined;
  /** Works with a part of the members. @defaultValue all of them */
  readonly subset?: SubsetOptions | undefined;
  /** Raises the weight of new members step by step. @defaultValue full weight at once */
  readonly slowStart?: SlowStartOptions | undefined;
  /**
   * When less than this share of the members would be used, retained ones are used too, and if that is not enough, ejected
   * ones; 0 for never. Blocked members are never used. @defaultValue 0.5
   */
  readonly panicShare?: number | undefined;
  /** When members that fail are not used for a while; `false` for never. @defaultValue `{}`: see `EjectionOptions` */
  readonly ejection?: EjectionOptions | false | undefined;
  /** Also blocks ejected members in the topology, for all its consumers, and restores them. @defaultValue only this client avoids them */
  readonly blocks?: NodeBlocks | undefined;
  /** Receives what made no call fail, such as an error of a listener. */
  readonly onWarning?: ((warning: ProvisioningError) => unknown) | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}
