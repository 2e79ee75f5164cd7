import type { Clock, ProvisioningError, Random, TopologyName } from "@holdfast/core";
import type { GuardOptions, HealthOptions } from "@holdfast/failover";
import type { Transport } from "../connection/transport.ts";
import type { FollowedSnapshotOptions } from "./followed-topology.ts";

export interface FollowDaemonOptions {
  /** The address of a daemon's HTTP endpoints, or of several that serve the same topologies, the most preferred first. */
  readonly url: string | readonly string[];
  /**
   * Sent as a bearer token, for a proxy in front of the daemon that asks for one. A function is called for every connection.
   * @defaultValue no token
   */
  readonly token?:
    | string
    | ((options: { readonly signal: AbortSignal }) => string | Promise<string>)
    | undefined;
  /** When a daemon counts as failed. @defaultValue those of failover, but only one daemon is connected at a time */
  readonly health?: HealthOptions | undefined;
  /** What keeps members from being removed too soon. */
  readonly guards?: GuardOptions | undefined;
  /** Receives what failed no call but should be known. @defaultValue ignored */
  readonly onWarning?: ((warning: ProvisioningError) => unknown) | undefined;
  /** How requests are sent. @defaultValue the platform's `fetch` */
  readonly transport?: Transport | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}

export interface FollowOptions extends FollowDaemonOptions {
  /** Which topology of the daemons. @defaultValue their default topology */
  readonly topology?: TopologyName | undefined;
  readonly topologies?: undefined;
  /** Keeps the newest good snapshot across restarts. @defaultValue nothing is kept */
  readonly lastKnownGood?: FollowedSnapshotOptions | undefined;
}

export interface FollowManyOptions extends FollowDaemonOptions {
  /** Which topologies of the daemons. All of them share one connection to a daemon. */
  readonly topologies: readonly TopologyName[];
  readonly topology?: undefined;
  /** Keeps the newest good snapshot of each topology across restarts. @defaultValue nothing is kept */
  readonly lastKnownGood?: ((topology: TopologyName) => FollowedSnapshotOptions | undefined) | undefined;
}
