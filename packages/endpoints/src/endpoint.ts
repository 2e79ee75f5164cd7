import type { ClusterNode } from "@holdfast/core";

/**
 * - `healthy`: listed by the active provider, and not ejected.
 * - `probing`: was ejected, and gets a few calls at a time until enough of them have succeeded.
 * - `retained`: not listed by the active provider, but kept by a guard, and used because too few others are left.
 * - `ejected`: fails for this client, but is used because too few others are left.
 */
export type EndpointStanding = "healthy" | "probing" | "retained" | "ejected";

/** A member that new calls may use now. Immutable: an unchanged endpoint is the same object in the next state. */
export interface Endpoint {
  readonly node: ClusterNode;
  /** The relative share of new calls, greater than 0: the node's weight, times the factors of its zone and of the slow start. */
  readonly weight: number;
  /** It is in the client's zone. Also true for all endpoints when the client has no zone. */
  readonly isLocal: boolean;
  readonly standing: EndpointStanding;
}
