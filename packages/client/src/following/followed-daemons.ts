import {
  DEFAULT_TOPOLOGY,
  systemClock,
  systemRandom,
  type Clock,
  type ClusterProvider,
  type Random,
  type TopologyName,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";
import { fetchTransport } from "../connection/fetch-transport.ts";
import { ContentMemory } from "../mirror/content-memory.ts";
import { DaemonStreams } from "../watching/daemon-streams.ts";
import { toDaemonAddresses, type DaemonAddress } from "./daemon-addresses.ts";
import type { FollowDaemonOptions } from "./follow-options.ts";
import { FollowedTopology, type FollowedSnapshotOptions } from "./followed-topology.ts";

/** The daemons that one call of `follow` names: all of its topologies share their connections. */
export class FollowedDaemons {
  readonly #options: FollowDaemonOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #addresses: readonly DaemonAddress[];
  readonly #streams: readonly DaemonStreams[];

  /** Throws `VALIDATION_MALFORMED` for an address of another form. */
  constructor(options: FollowDaemonOptions) {
    const { clock = systemClock, random = systemRandom, transport = fetchTransport } = options;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#addresses = toDaemonAddresses(options.url);
    const token = toTokenSource(options.token);
    this.#streams = this.#addresses.map(
      ({ url }) => new DaemonStreams({ source: { url, clock, transport, token } }),
    );
  }

  topology(name: TopologyName, lastKnownGood: FollowedSnapshotOptions | undefined): FollowedTopology {
    const { health, guards, onWarning = () => undefined } = this.#options;
    const clock = this.#clock;
    const random = this.#random;
    const memory = new ContentMemory();
    // A connection to each daemon would cost every daemon a client that only waits.
    const failover = new Failover({
      providers: this.#toProviders(name, memory),
      clock,
      random,
      guards,
      onWarning,
      health: { standby: "cold", ...health },
    });
    const hub = new WatchHub({ source: failover, clock, random, onError: onWarning });
    const urls = this.#addresses.map(({ url }) => url).join(" ");
    const source = name === DEFAULT_TOPOLOGY ? urls : `${name} ${urls}`;
    return new FollowedTopology({ hub, failover, clock, onWarning, source, memory, lastKnownGood });
  }

  #toProviders(topology: TopologyName, memory: ContentMemory): readonly ClusterProvider[] {
    return this.#addresses.map(({ id, priority }, index) => {
      const { probe, watch } = this.#streams[index]!.topology({ providerId: id, topology, memory });
      return {
        descriptor: { id, kind: "holdfast", priority, params: {} },
        capabilities: { watch: true },
        probe: ({ signal }) => probe(signal),
        watch: ({ signal }) => watch(signal),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    });
  }
}

function toTokenSource(
  token: FollowDaemonOptions["token"],
): ((signal: AbortSignal) => Promise<string>) | undefined {
  if (token === undefined) return undefined;
  return async (signal) => (typeof token === "string" ? token : token({ signal }));
}
