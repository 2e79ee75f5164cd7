import type { Reason, TopologyStatus } from "@holdfast/core";
import type { Endpoint } from "./endpoint.ts";
import type { ConnectionEffect, NewCallEffect } from "./selection/status-effects.ts";

/** How many members of the last snapshot were left out, and why. A member is counted once, under the first rule that applies. */
export interface EndpointCounts {
  /** All members of the last snapshot. */
  readonly members: number;
  /** Members with the weight 0. */
  readonly drained: number;
  readonly blocked: number;
  /** Members that only a guard keeps and that are not used. */
  readonly retained: number;
  readonly outsideSubset: number;
  /** Members that this client has ejected and does not use. */
  readonly ejected: number;
  readonly otherZone: number;
  /** Equals `endpoints.length`. */
  readonly used: number;
}

/** What a caller may do at one moment, and why. Immutable. */
export interface EndpointsState {
  /** New calls may use `endpoints`, of which there is at least one. False: see `refusal`. */
  readonly isUsable: boolean;
  readonly newCalls: NewCallEffect;
  readonly connections: ConnectionEffect;
  readonly status: TopologyStatus;
  /** The members are not known to be current. */
  readonly isStale: boolean;
  /** Text for people; never empty. It is always current, and may change without a call of the listeners. */
  readonly reason: string;
  /** Why new calls are not possible; present exactly if `isUsable` is false. */
  readonly refusal?: Reason | undefined;
  /**
   * The endpoints that the last snapshot allows, sorted by id. They are listed also while `isUsable` is false, except
   * when no member may be used, so that a topology that is unknown does not look like an empty one. The same array as in
   * the previous state if no endpoint changed.
   */
  readonly endpoints: readonly Endpoint[];
  readonly counts: EndpointCounts;
  /** Too few members are healthy, so ejected ones are used too. */
  readonly isPanicking: boolean;
}
