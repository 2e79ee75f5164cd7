import type { NodeId, Random } from "@holdfast/core";
import type { Endpoint } from "../endpoint.ts";

/** An endpoint as a strategy sees it. The same object for a member as long as it is the same member. */
export interface Target {
  /** The current endpoint: it is replaced when its weight or standing changes. */
  readonly endpoint: Endpoint;
  /** Calls that were picked and are not done, by all pickers of these endpoints. */
  readonly inFlight: number;
}

/** What a strategy may take into account. */
export interface PickRequest {
  /** Calls with the same key go to the same endpoint, with the strategy `byKey`. */
  readonly key?: string | undefined;
  /** Nodes that must not be picked, for example because the call has failed there. */
  readonly exclude?: ReadonlySet<NodeId> | undefined;
}

/** How an endpoint is chosen. One instance belongs to one picker. */
export interface PickStrategy {
  /** Receives all targets whenever one of them or its endpoint has changed; sorted by id. */
  update(targets: readonly Target[]): void;
  /** Returns a target for which `isFree` is true, or `undefined` if there is none. */
  choose(request: PickRequest, isFree: (target: Target) => boolean): Target | undefined;
}

/** What a strategy may use besides its targets. */
export interface PickContext {
  /** Returns numbers in [0, 1). */
  readonly random: Random;
  /** The number of calls that were picked and are not done, by all pickers of these endpoints. */
  inFlight(): number;
}

/** Creates the strategy of one picker. */
export type PickStrategyFactory = (context: PickContext) => PickStrategy;
