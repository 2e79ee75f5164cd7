import { DEFAULT_TOPOLOGY, type Clock, type TopologyEvent, type TopologyName } from "@holdfast/core";
import { follow, type FollowedTopology, type Transport } from "@holdfast/client";
import { createSeededRandom, MemorySnapshotStore } from "@holdfast/testing";
import type { FollowerName, FollowerSetting } from "../script/tier-script.ts";
import { OTHER_TOPOLOGY } from "./tier-daemon.ts";

/** One topology of a follower, in one of its lives. */
export interface FollowedLife {
  readonly follower: TierFollower;
  readonly life: number;
  readonly name: TopologyName;
  readonly topology: FollowedTopology;
}

export interface TierFollowerOptions {
  readonly name: FollowerName;
  readonly setting: FollowerSetting;
  readonly clock: Clock;
  /** Reaches a daemon by its name. */
  readonly transport: Transport;
  readonly nextSeed: () => number;
  readonly onEvent: (event: TopologyEvent, followed: FollowedLife) => void;
}

/** A process that follows the daemons, and can be restarted. */
export class TierFollower {
  readonly name: FollowerName;
  readonly setting: FollowerSetting;
  readonly #options: TierFollowerOptions;
  readonly #stores = new Map<TopologyName, MemorySnapshotStore>();
  readonly #ending = new Set<Promise<void>>();
  #followed: readonly FollowedLife[] = [];
  #lives = 0;

  constructor(options: TierFollowerOptions) {
    this.name = options.name;
    this.setting = options.setting;
    this.#options = options;
  }

  /** Its topologies in the current life. */
  get followed(): readonly FollowedLife[] {
    return this.#followed;
  }

  start(): void {
    const { clock, transport, nextSeed, onEvent, setting } = this.#options;
    const life = ++this.#lives;
    const common = {
      url: setting.daemons.map((daemon) => `http://${daemon}`),
      clock,
      transport,
      random: createSeededRandom(nextSeed()),
    };
    const topologies = this.#follow(common);
    this.#followed = topologies.map(([name, topology]) => {
      const followed = { follower: this, life, name, topology };
      topology.onEvent((event) => onEvent(event, followed));
      return followed;
    });
  }

  stop(): void {
    for (const { topology } of this.#followed) {
      const ending = topology.close().finally(() => this.#ending.delete(ending));
      this.#ending.add(ending);
    }
    this.#followed = [];
  }

  /** Resolves when everything of the lives that were stopped has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending);
  }

  #follow(common: {
    readonly url: readonly string[];
    readonly clock: Clock;
    readonly transport: Transport;
    readonly random: () => number;
  }): readonly (readonly [TopologyName, FollowedTopology])[] {
    const lastKnownGood = (name: TopologyName) => this.#storeOf(name);
    if (!this.setting.isMany)
      return [[DEFAULT_TOPOLOGY, follow({ ...common, lastKnownGood: lastKnownGood(DEFAULT_TOPOLOGY) })]];
    const names = [DEFAULT_TOPOLOGY, OTHER_TOPOLOGY];
    const directory = follow({ ...common, topologies: names, lastKnownGood });
    return names.map((name) => [name, directory.topology(name)]);
  }

  #storeOf(name: TopologyName) {
    if (!this.setting.keepsSnapshot) return undefined;
    const store = this.#stores.get(name) ?? new MemorySnapshotStore();
    this.#stores.set(name, store);
    return { store, saveEveryMs: 5_000 };
  }
}
