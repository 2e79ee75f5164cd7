import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import {
  ProvisioningError,
  type ClusterProvider,
  type SourceEvent,
  type ProviderId,
  type TopologyEvent,
  type WatchOptions,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { MemoryProvider } from "@holdfast/provider-memory";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { WatchHub } from "./watch-hub.ts";

const IDS = ["p", "q", "r"] as const;
const PRIORITIES = [3, 2, 2];
const NODES = ["a", "b", "c", "d"] as const;
const LATE_MS = 60_000;
/** A reconnect, the wait for the one before it, and the cooldown: by then whoever is well must be believed. */
const PATIENCE_MS = 30_000 + 15_000 + 10_000 + 1_000;

/** A memory provider whose watches may besides break off by themselves right after their first snapshot. */
class Moody implements ClusterProvider {
  readonly memory: MemoryProvider;
  mood: "well" | "throws" | "ends" | "stalls" = "well";
  isHanging = false;
  isStalled = false;

  constructor(memory: MemoryProvider) {
    this.memory = memory;
  }

  get descriptor() {
    return this.memory.descriptor;
  }

  get capabilities() {
    return this.memory.capabilities;
  }

  probe(options: WatchOptions): Promise<void> {
    return this.memory.probe(options);
  }

  async *watch(options: WatchOptions): AsyncGenerator<SourceEvent> {
    this.isStalled = false;
    for await (const event of this.memory.watch(options)) {
      yield event;
      if (this.mood === "throws") throw new Error("moody");
      if (this.mood === "ends") return;
      this.isStalled = this.mood === "stalls";
      if (this.isStalled) await new Promise(() => {});
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.memory[Symbol.asyncDispose]();
  }
}

const provider = fc.nat({ max: IDS.length - 1 });
const members = fc.subarray([...NODES]);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom("fail", "refuse", "unauthorised", "end", "hang", "recover", "recover", "heartbeat"),
      provider,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("set", "setLate"), provider, members }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("mood"),
      provider,
      mood: fc.constantFrom("well", "well", "throws", "ends", "stalls"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("block", "restore"), node: fc.constantFrom(...NODES) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("override"), pin: fc.option(provider) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("reload"),
      keep: fc.subarray([0, 1, 2]),
      renew: fc.subarray([0, 1, 2]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("jump"), ms: fc.constantFrom(-3_600_000, -1, 3_600_000) }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("wait"),
      ms: fc.constantFrom(1, 700, 2_500, 5_000, 9_999, 10_000, 15_000, 40_000),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Simulation {
  readonly clock = new VirtualClock();
  readonly failover: Failover;
  readonly hub: WatchHub;
  readonly #everyProvider: Moody[] = [];
  #inForce: Moody[];
  #seqNo = 0;
  #believed: ProviderId | undefined;
  #blocked: readonly string[] = [];
  readonly #restored = new Set<string>();
  /** What `#checkEvent` found: a listener's error reaches nobody else. */
  readonly #errors: unknown[] = [];
  /** The nodes that were named in a warning, as their block was asked for while the topology was not current. */
  readonly #staleBlocks: unknown[] = [];

  constructor(seed: number, standby: "warm" | "cold") {
    const { clock } = this;
    this.#inForce = IDS.map((_, index) => this.#create(index));
    const random = createSeededRandom(seed);
    this.failover = new Failover({ providers: this.#inForce, clock, random, health: { standby } });
    const onError = (error: ProvisioningError) => {
      if (error.code === "TOPOLOGY_NOT_CURRENT") this.#staleBlocks.push(error.details["nodeId"]);
      else this.#errors.push(error.cause);
    };
    this.hub = new WatchHub({ source: this.failover, clock, random, onError });
    this.hub.onEvent((event) => this.#checkEvent(event));
    this.hub.start();
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.clock.settle();
    this.#checkState();
    for (const s of steps) {
      await this.#take(s);
      await this.clock.settle();
      this.#checkState();
    }
  }

  /** Whoever is well for long enough ends every trouble. */
  async checkLiveness(index: number): Promise<void> {
    this.#reload(
      [0, 1, 2].filter((i) => i === index || this.#find(i) !== undefined),
      [],
    );
    const saviour = this.#find(index)!;
    saviour.mood = "well";
    saviour.memory.recover();
    saviour.isHanging = false;
    saviour.memory.set(NODES.map((id) => this.#node(saviour, id)));
    await this.clock.advance(PATIENCE_MS);
    this.#checkState();
    expect(this.failover.health().find(({ providerId }) => providerId === IDS[index])?.health).toMatch(
      /healthy|idle/,
    );
    // Another may be in front by priority, and in the middle of a trouble of its own, but not for long.
    let waits = 0;
    while (!["ready", "empty"].includes(this.hub.state.status)) {
      expect(++waits, this.hub.state.statusReason).toBeLessThan(80);
      await this.clock.advance(5_000);
    }
  }

  async end(): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    await this.failover[Symbol.asyncDispose]();
    await this.clock.settle();
    expect(this.#errors).toEqual([]);
    expect(this.clock.pendingTimers).toBe(0);
    expect(this.#everyProvider.filter(({ memory }) => memory.watches > 0)).toEqual([]);
  }

  #create(index: number): Moody {
    const memory = new MemoryProvider({ id: IDS[index]!, priority: PRIORITIES[index], clock: this.clock });
    const moody = new Moody(memory);
    memory.set(NODES.slice(0, 2).map((id) => this.#node(moody, id)));
    this.#everyProvider.push(moody);
    return moody;
  }

  /** The host tells whose content it is. */
  #node({ descriptor: { id } }: Moody, nodeId: string) {
    return { id: nodeId, host: `${id}.local`, port: 80 };
  }

  #find(index: number): Moody | undefined {
    return this.#inForce.find(({ descriptor }) => descriptor.id === IDS[index]);
  }

  #reload(keep: readonly number[], renew: readonly number[]): void {
    this.#inForce = keep.map((index) => {
      const known = renew.includes(index) ? undefined : this.#find(index);
      return known ?? this.#create(index);
    });
    this.failover.reconfigure(this.#inForce);
  }

  async #take(s: Step): Promise<void> {
    if (s.do === "wait" && "ms" in s) return this.clock.advance(s.ms);
    if (s.do === "jump" && "ms" in s) return this.clock.jump(s.ms);
    if ("keep" in s) return this.#reload(s.keep, s.renew);
    if ("pin" in s) {
      const pinned = s.pin === null ? undefined : this.#find(s.pin);
      return this.failover.override(pinned?.descriptor.id);
    }
    if ("node" in s) {
      if (s.do === "block") {
        const { isStale } = this.hub.state;
        this.#staleBlocks.length = 0;
        const isBlocked = this.hub.block(s.node);
        expect(this.#staleBlocks).toEqual(isBlocked && isStale ? [s.node] : []);
        this.#restored.delete(s.node);
      } else if (this.hub.restore(s.node)) this.#restored.add(s.node);
      return;
    }
    const moody = "provider" in s ? this.#find(s.provider) : undefined;
    if (moody === undefined) return;
    if ("mood" in s) {
      moody.mood = s.mood;
      return;
    }
    const { memory } = moody;
    if ("members" in s) {
      const observedAt = this.clock.now() - (s.do === "setLate" ? LATE_MS : 0);
      return memory.set(
        s.members.map((id) => this.#node(moody, id)),
        { observedAt },
      );
    }
    if (s.do === "fail") memory.fail();
    else if (s.do === "end") memory.end();
    else if (s.do === "hang" || s.do === "recover") {
      moody.isHanging = s.do === "hang";
      memory[s.do]();
    } else if (s.do === "heartbeat") memory.heartbeat();
    else {
      memory.refuse(
        new ProvisioningError(s.do === "refuse" ? "CONNECTIVITY_REFUSED" : "CONNECTIVITY_UNAUTHORIZED", "no"),
      );
      memory.fail();
    }
  }

  /** What holds at every event. */
  #checkEvent(event: TopologyEvent): void {
    const { state } = this.hub;
    expect(event.seqNo).toBe(++this.#seqNo);
    if (event.kind === "provider_changed") {
      expect(event.to).not.toBe(event.from);
      expect(event.from).toBe(this.#believed ?? event.from);
      this.#believed = event.to;
    }
    if (event.kind !== "snapshot") return;
    const { providerId, members: seen, blockedNodes, retained = [] } = event.snapshot;
    // While the next one has not spoken yet, what is held may still be marked with a block.
    const { added, updated, removed, blocked } = event.delta;
    const isMark = added.length + updated.length + removed.length === 0 && blocked.length > 0;
    const isHeld = state.isStale && isMark;
    if (!isHeld) {
      expect(providerId).toBe(this.#believed ?? providerId);
      this.#believed = providerId;
    }
    for (const { id, host } of seen) {
      // Who was shown before a switch is kept for the dwell, and said to be.
      if (!retained.includes(id)) expect(host).toBe(`${providerId}.local`);
    }
    for (const id of this.#blocked) {
      if (blockedNodes.includes(id)) continue;
      expect(state.isStale, "no block is lifted by what is not current").toBe(false);
      expect(!seen.has(id) || this.#restored.has(id), "a block holds until it is restored").toBe(true);
      this.#restored.delete(id);
    }
    this.#blocked = blockedNodes;
  }

  /** What holds whenever nothing is under way. */
  #checkState(): void {
    expect(this.#errors).toEqual([]);
    const { status, snapshot, isStale } = this.hub.state;
    const reports = this.failover.health();
    const active = reports.find(({ isActive }) => isActive);
    expect(reports.map(({ providerId }) => providerId).sort()).toEqual(
      this.#inForce.map(({ descriptor }) => descriptor.id).sort(),
    );
    expect(status === "unavailable").toBe(reports.every(({ health }) => health === "unreachable"));
    // R2.4: while members are shown that the active provider does not list, the topology is degraded, though current.
    const isRetaining = snapshot?.retained !== undefined;
    if (!isStale && snapshot !== undefined) expect(status === "degraded").toBe(isRetaining);
    const isCurrent = status === "ready" || status === "empty" || (status === "degraded" && isRetaining);
    if (isCurrent && !isStale) {
      expect(active?.health).toBe("healthy");
      expect(snapshot?.providerId).toBe(active?.providerId);
      const source = this.#inForce.find(({ descriptor }) => descriptor.id === active?.providerId);
      if (source?.isHanging === false && !source.isStalled) {
        const listed = snapshot?.members.apply({ remove: snapshot.retained ?? [] });
        expect(listed?.sum).toEqual(source.memory.members.sum);
      }
    } else if (snapshot !== undefined) {
      expect(isStale).toBe(true);
    }
    if (active?.health === "healthy") expect(isStale).toBe(false);
  }
}

// R2.5 R2.6 R3.1 R3.4 R4.2 R4.4 R5.3: for any run of trouble, reloads, overrides, blocks and waits.
test.each(["warm", "cold"] as const)(
  "whatever happens, the log stays true with %s stand-bys",
  async (standby) => {
    const steps = fc.array(step, { maxLength: 40, size: "max" });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), provider, async (script, seed, saviour) => {
        const simulation = new Simulation(seed, standby);
        await simulation.run(script);
        await simulation.checkLiveness(saviour);
        await simulation.end();
      }),
      { numRuns: 300 },
    );
  },
);
