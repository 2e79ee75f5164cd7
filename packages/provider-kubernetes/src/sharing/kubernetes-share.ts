import type { Clock } from "@holdfast/core";
import { createNodeReader, type NodeReader } from "@holdfast/core/adapter";
import { accessKeyOf, type AccessSettings } from "../access/access-settings.ts";
import { ApiClient } from "../access/api-client.ts";
import { LeaseMap, type Lease } from "./lease-map.ts";
import { SharedCluster, type ClusterClient } from "./shared-cluster.ts";

/** What the providers and discoveries of one adapter share: clusters, and the code that reads members. */
export class KubernetesShare {
  readonly #createClient: (settings: AccessSettings, clock: Clock) => ClusterClient;
  readonly #clusters = new WeakMap<Clock, LeaseMap<SharedCluster>>();
  #readNode: NodeReader | undefined;

  /** `createClient` replaces the client that sends requests. */
  constructor(
    createClient: (settings: AccessSettings, clock: Clock) => ClusterClient = (settings, clock) =>
      new ApiClient(settings, clock),
  ) {
    this.#createClient = createClient;
  }

  /** Compiled for the first user. */
  get readNode(): NodeReader {
    return (this.#readNode ??= createNodeReader());
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
