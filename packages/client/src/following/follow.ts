import {
  ProvisioningError,
  systemClock,
  systemRandom,
  type Clock,
  type ClusterProvider,
  type ProviderId,
  type Random,
} from "@holdfast/core";
import { Failover, type GuardOptions, type HealthOptions } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";
import { DaemonWatcher } from "../mirror/daemon-watcher.ts";
import { fetchTransport } from "../connection/fetch-transport.ts";
import { FollowedTopology, type FollowedSnapshotOptions } from "./followed-topology.ts";
import { EXPECTED_ORIGIN, isOrigin } from "../connection/daemon-origin.ts";
import type { Transport } from "../connection/transport.ts";

export interface FollowOptions {
  /** The address of a daemon's HTTP endpoints, or of several that serve the same topology, the most preferred first. */
  readonly url: string | readonly string[];
  /** Sent as a bearer token, for a proxy in front of the daemon that asks for one. @defaultValue no token */
  readonly token?: string | undefined;
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
 * Follows the topology of a daemon over HTTP. Returns at once; `ready()` resolves when there are members to work with. A connection that
 * breaks is opened again and continues where it stopped; when a daemon fails, the next address is used, which is a `provider_changed`
 * event. Throws `VALIDATION_MALFORMED` for an address that is not `http://HOST:PORT` or `https://HOST:PORT`.
 */
export function follow(options: FollowOptions): FollowedTopology {
  const { clock = systemClock, random = systemRandom, onWarning = () => undefined, health, guards } = options;
  const urls = toUrls(options.url);
  const ids = toProviderIds(urls);
  const providers = urls.map((url, index) =>
    toProvider(options, { url, id: ids[index]!, priority: urls.length - index, clock }),
  );
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
  const { lastKnownGood } = options;
  return new FollowedTopology({ hub, failover, clock, onWarning, source: urls.join(" "), lastKnownGood });
}

function toUrls(url: string | readonly string[]): readonly string[] {
  const urls = [...new Set(typeof url === "string" ? [url] : url)];
  const invalid = urls.findIndex((each) => !isOrigin(each));
  // Two forms of one address, such as with and without a final slash, are one daemon.
  if (urls.length > 0 && invalid < 0) return [...new Set(urls.map((each) => new URL(each).origin))];
  const expected = EXPECTED_ORIGIN;
  const message =
    urls.length === 0 ? `url: expected ${expected}, got none` : `url[${invalid}]: expected ${expected}`;
  throw new ProvisioningError("VALIDATION_MALFORMED", message, {
    details: { path: `url[${Math.max(invalid, 0)}]`, expected },
  });
}

/** The hosts; the whole addresses if two of them differ only in `http` and `https`. */
function toProviderIds(origins: readonly string[]): readonly ProviderId[] {
  const hosts = origins.map((origin) => new URL(origin).host);
  return new Set(hosts).size === hosts.length ? hosts : origins;
}

interface DaemonAddress {
  readonly url: string;
  readonly id: ProviderId;
  readonly priority: number;
  readonly clock: Clock;
}

function toProvider(
  { token, transport = fetchTransport }: FollowOptions,
  { url, id, priority, clock }: DaemonAddress,
): ClusterProvider {
  const source = {
    url,
    providerId: id,
    clock,
    transport,
    token: token === undefined ? undefined : () => Promise.resolve(token),
  };
  const watcher = new DaemonWatcher(source);
  return {
    descriptor: { id, kind: "holdfast", priority, params: {} },
    capabilities: { watch: true },
    probe: ({ signal }) => watcher.probe(signal),
    watch: ({ signal }) => watcher.watch(signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
