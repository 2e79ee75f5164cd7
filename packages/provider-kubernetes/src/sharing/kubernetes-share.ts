import type { Clock } from "@holdfast/core";
import { accessKeyOf, type AccessSettings } from "../access/access-settings.ts";
import { ApiClient } from "../access/api-client.ts";
import { LeaseMap, type Lease } from "./lease-map.ts";
import { SharedCluster, type ClusterClient } from "./shared-cluster.ts";

/** The clusters that the providers and discoveries of one adapter share. */
export class KubernetesShare {
  readonly #createClient: (settings: AccessSettings, clock: Clock) => ClusterClient;
  readonly #clusters = new WeakMap<Clock, LeaseMap<SharedCluster>>();

  /** `createClient` replaces the client that sends requests. */
  constructor(
    createClient: (settings: AccessSettings, clock: Clock) => ClusterClient = (settings, clock) =>
      new ApiClient(settings, clock),
  ) {
    this.#createClient = createClient;
  }

  /** Leases what all users with equal access parameters and the same clock share. Does no I/O. */
  lease(settings: AccessSettings, clock: Clock): Lease<SharedCluster> {
    let clusters = this.#clusters.get(clock);
    if (clusters === undefined) {
      clusters = new LeaseMap((cluster) => cluster[Symbol.dispose]());
      this.#clusters.set(clock, clusters);
    }
    const createClient = () => this.#createClient(settings, clock);
    return clusters.lease(accessKeyOf(settings), () => new SharedCluster({ settings, clock, createClient }));
  }
}
