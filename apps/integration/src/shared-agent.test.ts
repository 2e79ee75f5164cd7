import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import {
  toProvisioningError,
  type ClusterProvider,
  type ErrorCode,
  type ProviderContext,
  type SourceEvent,
} from "@holdfast/core";
import { DEFAULT_HEALTH_POLICY, Failover, heartbeatMsOf } from "@holdfast/failover";
import { SimulatedConsul } from "@holdfast/provider-consul/simulated";
import { describe, expect, inject, test } from "vitest";
import { rateOf } from "./request-rate.ts";

// The server and the connections to it are simulated. The shared agent, the watch loops and failover are real.

const HEARTBEAT_MS = heartbeatMsOf(DEFAULT_HEALTH_POLICY);
/** A request to the simulated server takes this long, in milliseconds. */
const REQUEST_MS = 20;
/** The time in which a change must be seen: a turn comes in each half of a heartbeat interval. The rest is for requests. */
const SEEN_WITHIN_MS = HEARTBEAT_MS / 2 + 1_000;

/** What one provider of the process has reported. The members of a service are its version: `v7`. */
class Followed {
  readonly id: string;
  /** The content of the last snapshot. */
  ids = "";
  /** The time of the last event. */
  eventAt: number;
  /** The time of the first event of the current watch; undefined before it. */
  aliveSince: number | undefined;
  readonly errors: ErrorCode[] = [];
  readonly problems: string[] = [];
  /** The longest time in which a change was seen, and without an event, while server and watch were working. */
  longestChangeMs = 0;
  longestGapMs = 0;
  readonly #world: World;

  constructor(id: string, world: World) {
    this.id = id;
    this.#world = world;
    this.eventAt = world.clock.monotonic();
  }

  /** Returns the provider with a watch whose events are checked. */
  wrap(provider: ClusterProvider): ClusterProvider {
    const events = this.#events.bind(this);
    return {
      descriptor: provider.descriptor,
      capabilities: provider.capabilities,
      probe: (options) => provider.probe(options),
      watch: ({ signal }) => events(provider.watch({ signal })),
      [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
    };
  }

  async *#events(watch: AsyncIterable<SourceEvent>): AsyncGenerator<SourceEvent, void> {
    this.aliveSince = undefined;
    try {
      for await (const event of watch) {
        this.#check(event);
        yield event;
      }
    } catch (error) {
      this.errors.push(toProvisioningError(error, "STREAM_FAILED", "the watch failed").code);
      throw error;
    } finally {
      this.aliveSince = undefined;
    }
  }

  #check(event: SourceEvent): void {
    const { clock, server, workingSince } = this.#world;
    const now = clock.monotonic();
    const history = server.historyOf(this.id);
    if (event.type === "snapshot") {
      const before = this.ids;
      this.ids = Array.from(event.snapshot.members, ({ id }) => id).join();
      const version = history.find(({ ids }) => ids === this.ids);
      if (version === undefined) this.problems.push(`the server never had the content ${this.ids}`);
      else if (history.findIndex(({ ids }) => ids === before) > history.indexOf(version))
        this.problems.push(`${this.ids} came after ${before}`);
      else if (this.aliveSince !== undefined && version.at > Math.max(this.aliveSince, workingSince))
        this.longestChangeMs = Math.max(this.longestChangeMs, now - version.at);
    } else if (event.type === "heartbeat") {
      // A heartbeat means that the server has just had this content.
      const at = history.findLastIndex((content) => content.at <= now - REQUEST_MS);
      const recent = history.slice(Math.max(at, 0)).map(({ ids }) => ids);
      if (!recent.includes(this.ids))
        this.problems.push(`heartbeat for ${this.ids} at ${now}, but the server has ${recent.join(" or ")}`);
    } else this.problems.push(event.type);
    if (this.aliveSince !== undefined && this.eventAt > workingSince)
      this.longestGapMs = Math.max(this.longestGapMs, now - this.eventAt);
    this.eventAt = now;
    this.aliveSince ??= now;
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly server: SimulatedConsul;
  /** The time since which the server has responded to everything. */
  workingSince: number;
}

interface FollowOptions {
  readonly services: number;
  readonly maxBlockingQueries: number;
  readonly seed: number;
}

/** One process that follows many services of one server, through failover. */
class Process implements World, AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly server: SimulatedConsul;
  readonly followed: Followed[] = [];
  readonly process: ReturnType<SimulatedConsul["createProcess"]>;
  workingSince = 0;
  readonly #context: ProviderContext;
  readonly #stops = new Map<string, AbortController>();
  readonly #running: Promise<void>[] = [];
  #version = 0;

  constructor({ services, maxBlockingQueries, seed }: FollowOptions) {
    const { clock } = this;
    const random = createSeededRandom(seed);
    this.random = random;
    this.server = new SimulatedConsul({ clock, random });
    this.#context = { clock, random, heartbeatMs: HEARTBEAT_MS };
    this.process = this.server.createProcess({ maxBlockingQueries, context: this.#context });
    for (let i = 0; i < services; i++) this.change(`service-${i}`);
    for (let i = 0; i < services; i++) this.follow(`service-${i}`);
  }

  change(service: string): void {
    this.server.publishTo(service, `v${++this.#version}`);
  }

  follow(service: string): void {
    const { clock, random } = this;
    const followed = new Followed(service, this);
    this.followed.push(followed);
    const stop = new AbortController();
    this.#stops.set(service, stop);
    const run = async () => {
      await using provider = followed.wrap(this.process.createProvider(service, service));
      await using failover = new Failover({ providers: [provider], clock, random });
      await failover.run({ signal: stop.signal, onUpdate() {} });
    };
    this.#running.push(run());
  }

  unfollow(service: string): void {
    this.#stops.get(service)?.abort();
    this.#stops.delete(service);
    this.followed.splice(
      this.followed.findIndex(({ id }) => id === service),
      1,
    );
  }

  /** Lets the server fail for a while: `work` starts the fault, and its result ends it. */
  async fail(forMs: number, begin: () => () => void): Promise<void> {
    this.workingSince = Number.POSITIVE_INFINITY;
    const end = begin();
    await this.clock.advance(forMs);
    end();
    this.workingSince = this.clock.monotonic();
  }

  /** The providers whose content differs from that of the server. */
  behind(): readonly string[] {
    return this.followed.flatMap(({ id, ids }) => {
      const current = this.server.historyOf(id).at(-1)?.ids;
      return ids === current ? [] : [`${id}: ${ids} instead of ${current}`];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops.values()) stop.abort();
    await Promise.all(this.#running);
    expect(this.clock.pendingTimers).toBe(0);
  }
}

const SEEDS = inject("isLong") ? 100 : 8;

describe("one process that follows more services than it has blocking queries", () => {
  // R2.1 R2.7 R7.1
  test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    "loses no change, confirms nothing wrongly and starves no service, with random changes and faults (seed %i)",
    async (seed) => {
      await using world = new Process({ services: 40, maxBlockingQueries: 8, seed });
      const { clock, server, random, followed } = world;
      const anyOf = () => followed[Math.floor(random() * followed.length)]!.id;
      const restart = (forgets: boolean) => () => {
        server.stop();
        if (random() < 0.5) world.change(anyOf());
        return () => server.start({ forgets });
      };
      const steps: readonly (() => Promise<void> | void)[] = [
        () => world.change(anyOf()),
        () => world.change(anyOf()),
        () => world.change(anyOf()),
        () => {
          for (const { id } of followed) if (random() < 0.5) world.change(id);
        },
        async () => {
          const id = anyOf();
          for (let i = 0; i < 20; i++) {
            world.change(id);
            await clock.advance(random() * 200);
          }
        },
        () => world.fail(random() * 10_000, restart(false)),
        () => world.fail(random() * 10_000, restart(true)),
        () => world.fail(0, restart(true)),
        () =>
          world.fail(random() * 20_000, () => {
            server.hang();
            return () => server.resume();
          }),
        () => {
          const id = anyOf();
          world.unfollow(id);
          world.follow(id);
        },
      ];
      await clock.advance(20_000);
      expect(world.behind()).toEqual([]);
      for (let i = 0; i < 40; i++) {
        await steps[Math.floor(random() * steps.length)]!();
        await clock.advance(random() * 8_000);
      }
      // Failover waits up to 30 s before it tries again.
      await clock.advance(45_000);
      expect(world.behind()).toEqual([]);
      expect(followed.flatMap(({ id, problems }) => problems.map((problem) => `${id}: ${problem}`))).toEqual(
        [],
      );
      expect(Math.max(...followed.map(({ longestChangeMs }) => longestChangeMs))).toBeLessThan(
        SEEN_WITHIN_MS,
      );
      expect(Math.max(...followed.map(({ longestGapMs }) => longestGapMs))).toBeLessThan(HEARTBEAT_MS);
      // Eight queries, four turns, four other requests, and the turns that were aborted less than a turn ago.
      expect(world.process.connections.peak).toBeLessThanOrEqual(8 + 4 + 4 + 4);
      expect(world.process.connections.refused).toBe(0);
    },
  );
});

describe("one process that follows 1,000 services", { timeout: 120_000 }, () => {
  // R7.1
  test("starts, and recovers from a restart of the server, without a burst of requests", async () => {
    const services = inject("isLong") ? 1_000 : 300;
    const maxBlockingQueries = inject("isLong") ? 128 : 32;
    await using world = new Process({ services, maxBlockingQueries, seed: 1 });
    const { clock, server, followed, process } = world;
    await clock.advance(5_000);
    expect(world.behind()).toEqual([]);
    // The first reads: an eighth of the blocking queries at the same time, at 10 ms each.
    const times = () => server.received.map(({ at }) => at);
    await clock.advance(20_000);
    const steady = rateOf(times(), 15_000, 25_000);
    expect(steady.mean).toBeLessThan((services * 1_000 * 1.25) / (HEARTBEAT_MS / 2));
    for (const { id } of followed) world.change(id);
    await clock.advance(SEEN_WITHIN_MS);
    expect(world.behind()).toEqual([]);
    await world.fail(3_000, () => {
      server.stop();
      return () => server.start({ forgets: true });
    });
    const startedAt = clock.monotonic();
    for (const { id } of followed) world.change(id);
    while (world.behind().length > 0 && clock.monotonic() - startedAt < 60_000) await clock.advance(500);
    expect(world.behind()).toEqual([]);
    // Every provider has tried at least once, but one of them at a time asked the server.
    expect(followed.every(({ errors }) => errors.length > 0)).toBe(true);
    expect(server.missed).toBeLessThan(services / 4);
    const recoveredMs = clock.monotonic() - startedAt;
    const after = rateOf(times(), startedAt, clock.monotonic());
    console.log(
      `${services} services: ${steady.mean} requests per second, at most ${steady.peak}; after a restart at most ${after.peak}, all recovered after ${recoveredMs} ms; ${server.missed} requests while it was down; ${process.connections.peak} connections`,
    );
    expect(after.peak / steady.mean).toBeLessThan(3);
    expect(followed.flatMap(({ problems }) => problems)).toEqual([]);
    expect(process.connections.peak).toBeLessThanOrEqual(maxBlockingQueries * 1.5);
    expect(process.connections.refused).toBe(0);
  });
});
