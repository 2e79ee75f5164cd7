import {
  isTopologyName,
  ProvisioningError,
  systemClock,
  systemRandom,
  type Clock,
  type ClusterProvider,
  type Random,
  type TopologyName,
} from "@holdfast/core";
import { Failover, type GuardOptions, type HealthOptions } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";
import { fetchTransport } from "../connection/fetch-transport.ts";
import type { Transport } from "../connection/transport.ts";
import { ContentMemory } from "../mirror/content-memory.ts";
import { DaemonWatcher } from "../mirror/daemon-watcher.ts";
import { toDaemonAddresses } from "./daemon-addresses.ts";
import { FollowedTopology, type FollowedSnapshotOptions } from "./followed-topology.ts";

export interface FollowOptions {
  /** The address of a daemon's HTTP endpoints, or of several that serve the same topology, the most preferred first. */
  readonly url: string | readonly string[];
  /** Which topology of the daemons. @defaultValue their default topology */
  readonly topology?: TopologyName | undefined;
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
  /** Keeps the newest good snapshot across restarts. @defaultValue nothing is kept */
  readonly lastKnownGood?: FollowedSnapshotOptions | undefined;
  /** Receives what failed no call but should be known. @defaultValue ignored */
  readonly onWarning?: ((warning: ProvisioningError) => unknown) | undefined;
  /** How requests are sent. @defaultValue the platform's `fetch` */
  readonly transport?: Transport | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}

/**
 * Follows a topology of a daemon over HTTP. Returns at once; `ready()` resolves when there are members to work with. A connection that
 * breaks is opened again and continues where it stopped; when a daemon fails, the next address is used, which is a `provider_changed`
 * event. A daemon that does not have the topology counts as failed (`TOPOLOGY_UNKNOWN`), not as empty. Throws `VALIDATION_MALFORMED` for
 * an address that is not `http://HOST:PORT` or `https://HOST:PORT`, and for a name that is not one of a topology.
 */
export function follow(options: FollowOptions): FollowedTopology {
  const { topology, transport = fetchTransport, clock = systemClock, random = systemRandom } = options;
  const { onWarning = () => undefined, health, guards, lastKnownGood } = options;
  if (topology !== undefined && !isTopologyName(topology)) throw toNameError();
  const addresses = toDaemonAddresses(options.url);
  const memory = new ContentMemory();
  const token = toTokenSource(options.token);
  const providers = addresses.map(({ url, id, priority }): ClusterProvider => {
    const source = { url, clock, transport, token };
    const watcher = new DaemonWatcher({ source, providerId: id, topology, memory });
    return {
      descriptor: { id, kind: "holdfast", priority, params: {} },
      capabilities: { watch: true },
      probe: ({ signal }) => watcher.probe(signal),
      watch: ({ signal }) => watcher.watch(signal),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  });
  // A connection to each daemon would cost every daemon a client that only waits.
  const failover = new Failover({
    providers,
    clock,
    random,
    guards,
    onWarning,
    health: { standby: "cold", ...health },
  });
  const hub = new WatchHub({ source: failover, clock, random, onError: onWarning });
  const urls = addresses.map(({ url }) => url).join(" ");
  const source = topology === undefined ? urls : `${topology} ${urls}`;
  return new FollowedTopology({ hub, failover, clock, onWarning, source, memory, lastKnownGood });
}

function toTokenSource(
  token: FollowOptions["token"],
): ((signal: AbortSignal) => Promise<string>) | undefined {
  if (token === undefined) return undefined;
  return async (signal) => (typeof token === "string" ? token : token({ signal }));
}

function toNameError(): ProvisioningError {
  const expected = "the name of a topology: letters, digits, '.', '_' and '-'";
  return new ProvisioningError("VALIDATION_MALFORMED", `topology: expected ${expected}`, {
    details: { path: "topology", expected },
  });
}
