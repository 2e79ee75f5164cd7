import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import {
  ProvisioningError,
  type ClusterProvider,
  type SourceEvent,
  type ProviderId,
  type WatchOptions,
} from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { describe, expect, test } from "vitest";
import { UpdateFacts } from "../test/update-facts.ts";
import { Failover } from "./failover.ts";
import type { HealthOptions } from "./health-policy.ts";

/** These tests check which provider is active, not which members are retained. */
const NO_DWELL = { removalDwellMs: 0 };

const node = (id: string) => ({ id, host: `${id}.local`, port: 80 });

type Watch = (memory: MemoryProvider, options: WatchOptions) => AsyncIterable<SourceEvent>;

/** A provider whose watch is defined by the test, based on a memory provider. Records the time of each watch. */
class FaultyProvider implements ClusterProvider {
  readonly memory: MemoryProvider;
  readonly attempts: number[] = [];
  readonly #clock: VirtualClock;
  readonly #watch: Watch;

  constructor(clock: VirtualClock, id: ProviderId, priority: number, watch: Watch) {
    this.memory = new MemoryProvider({ id, priority, clock, members: [node(id)] });
    this.#clock = clock;
    this.#watch = watch;
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

  watch(options: WatchOptions): AsyncIterable<SourceEvent> {
    this.attempts.push(this.#clock.monotonic());
    return this.#watch(this.memory, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.memory[Symbol.asyncDispose]();
  }
}

/** Yields the first snapshot, then calls `after`. */
function firstSnapshotThen(after: () => Promise<void> | void): Watch {
  return async function* (memory, options) {
    const { value } = await memory.watch(options).next();
    if (value !== undefined) yield value;
    await after();
  };
}

/** Runs the failover. `describeFacts` describes all snapshots, switches and changes of availability so far. */
function read(failover: Failover, signal = new AbortController().signal) {
  const facts = new UpdateFacts();
  const running = failover.run({ signal, onUpdate: facts.onUpdate });
  const describeFacts = () =>
    facts.all.flatMap((fact) => {
      if (fact.type === "snapshot") return fact.snapshot.providerId;
      if (fact.type === "switched")
        return `${fact.switched.from}>${fact.switched.to} ${fact.switched.reason}`;
      return fact.type === "availability" ? fact.availability : [];
    });
  return { describeFacts, running };
}

function setUp(providers: (clock: VirtualClock) => readonly ClusterProvider[], health?: HealthOptions) {
  const clock = new VirtualClock();
  const random = createSeededRandom(5);
  return {
    clock,
    failover: new Failover({ providers: providers(clock), clock, random, health, guards: NO_DWELL }),
  };
}

const make = (clock: VirtualClock, id: ProviderId, priority: number) =>
  new MemoryProvider({ id, priority, clock, members: [node(id)] });

describe("a provider that", () => {
  test.each<[string, Watch]>([
    ["ends", firstSnapshotThen(() => undefined)],
    ["throws", firstSnapshotThen(() => Promise.reject(new Error("faulty")))],
    ["becomes silent", firstSnapshotThen(() => new Promise(() => {}))],
  ])("%s after each first snapshot is retried at growing intervals", async (_, watch) => {
    // R2.6
    let faulty!: FaultyProvider;
    const { clock, failover } = setUp((c) => [(faulty = new FaultyProvider(c, "faulty", 1, watch))]);
    read(failover);
    await clock.advance(3_600_000);
    const waits = faulty.attempts.slice(-40).map((at, i, all) => at - (all[i - 1] ?? at));
    // Full jitter under the longest backoff: half of it on average.
    expect(waits.reduce((sum, wait) => sum + wait, 0) / waits.length).toBeGreaterThan(10_000);
    expect(waits.filter((wait) => wait > 17_000).length).toBeGreaterThan(5);
    await failover[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([
    [8_000, 8_000],
    [3_600_000, 30_000],
    [Number.NaN, 0],
    ["soon", 0],
  ])("requests %s ms before a retry is retried after %i ms plus the backoff", async (asked, waitMs) => {
    // R2.6
    const error = new ProvisioningError("CONNECTIVITY_OVERLOADED", "faulty", {
      details: { retryAfterMs: asked },
    });
    let faulty!: FaultyProvider;
    const overloaded = firstSnapshotThen(() => Promise.reject(error));
    const { clock, failover } = setUp((c) => [(faulty = new FaultyProvider(c, "faulty", 1, overloaded))]);
    read(failover);
    await clock.advance(120_000);
    const wait = faulty.attempts[1]! - faulty.attempts[0]!;
    expect(wait).toBeGreaterThan(waitMs);
    expect(wait).toBeLessThan(waitMs + 2_000);
    await failover[Symbol.asyncDispose]();
  });

  test("connects and fails repeatedly is replaced by a provider that works", async () => {
    // R2.5 R2.6
    const { clock, failover } = setUp((c) => [
      new FaultyProvider(
        c,
        "faulty",
        2,
        firstSnapshotThen(() => Promise.reject(new Error("faulty"))),
      ),
      new MemoryProvider({ id: "steady", priority: 1, clock: c, members: [node("n")] }),
    ]);
    const { describeFacts } = read(failover);
    await clock.advance(600_000);
    expect(describeFacts().at(-1)).toBe("available");
    expect(failover.health()).toMatchObject([{ isActive: false }, { providerId: "steady", isActive: true }]);
    await failover[Symbol.asyncDispose]();
  });

  test("is silent for the timeout while it reconnects is unreachable, even with few errors", async () => {
    // R2.6
    let primary!: MemoryProvider;
    const { clock, failover } = setUp(
      (c) => [
        (primary = new MemoryProvider({ id: "primary", priority: 2, clock: c, members: [node("n")] })),
        new MemoryProvider({ id: "backup", priority: 1, clock: c, members: [node("m")] }),
      ],
      { maxErrors: 1_000 },
    );
    const { describeFacts } = read(failover);
    await clock.advance(20_000);
    primary.refuse();
    primary.fail();
    await clock.advance(14_999);
    expect(describeFacts()).not.toContain("primary>backup timeout");
    await clock.advance(1);
    expect(describeFacts()).toContain("primary>backup timeout");
    await failover[Symbol.asyncDispose]();
  });

  test.each<[string, () => Promise<IteratorResult<SourceEvent>>]>([
    [
      "throws",
      () => {
        throw new Error("cannot be closed");
      },
    ],
    ["rejects", () => Promise.reject(new Error("cannot be closed"))],
    ["hangs", () => new Promise(() => {})],
  ])("%s when its stream is closed is watched again", async (_, close) => {
    let faulty!: FaultyProvider;
    const { clock, failover } = setUp((c) => [
      (faulty = new FaultyProvider(c, "faulty", 1, (memory, options) => {
        const iterator = memory.watch(options)[Symbol.asyncIterator]();
        return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next(), return: close }) };
      })),
    ]);
    read(failover);
    await clock.settle();
    faulty.memory.fail();
    await clock.advance(5_000);
    expect(faulty.attempts.length).toBeGreaterThan(1);
    expect(failover.health()).toMatchObject([{ health: "healthy" }]);
    await failover[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test.each(["observedAt", "stalenessMs"])(
    "sends a snapshot with an invalid %s fails, with that as the reason",
    async (field) => {
      const { clock, failover } = setUp((c) => [
        new FaultyProvider(c, "faulty", 1, async function* (memory, options) {
          for await (const event of memory.watch(options)) {
            if (event.type !== "snapshot") yield event;
            else yield { ...event, snapshot: { ...event.snapshot, [field]: Number.NaN } };
          }
        }),
      ]);
      read(failover);
      await clock.settle();
      expect(failover.health()).toMatchObject([
        { reason: { code: "STREAM_INVALID_DATA", details: { field } } },
      ]);
      await failover[Symbol.asyncDispose]();
    },
  );

  test("throws from the call to `watch` is retried", async () => {
    let isRepaired = false;
    const { clock, failover } = setUp((c) => [
      new FaultyProvider(c, "faulty", 1, (memory, options) => {
        if (!isRepaired) throw new Error("not now");
        return memory.watch(options);
      }),
    ]);
    const { describeFacts } = read(failover);
    await clock.advance(60_000);
    expect(describeFacts()).toEqual(["degraded", "unavailable"]);
    isRepaired = true;
    await clock.advance(30_000);
    expect(describeFacts()).toEqual(["degraded", "unavailable", "faulty", "available"]);
    await failover[Symbol.asyncDispose]();
  });

  test("sends events after its signal has aborted is ignored", async () => {
    const { clock, failover } = setUp((c) => [
      new FaultyProvider(c, "faulty", 1, async function* (memory) {
        for await (const event of memory.watch({ signal: new AbortController().signal })) yield event;
      }),
    ]);
    const { describeFacts } = read(failover);
    await clock.settle();
    failover.reconfigure([]);
    await clock.advance(60_000);
    expect(describeFacts()).toEqual(["faulty", "unavailable"]);
    await failover[Symbol.asyncDispose]();
  });

  test("is alive but has not sent its first snapshot does not end the unavailability", async () => {
    // R5.3
    let withholdsSnapshots = false;
    let faulty!: FaultyProvider;
    const { clock, failover } = setUp(
      (c) => [
        (faulty = new FaultyProvider(c, "faulty", 1, async function* (memory, options) {
          for await (const event of memory.watch(options))
            if (!withholdsSnapshots || event.type !== "snapshot") yield event;
        })),
      ],
      { maxErrors: 1 },
    );
    const { describeFacts } = read(failover);
    await clock.settle();
    withholdsSnapshots = true;
    faulty.memory.fail(new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no"));
    await clock.advance(60_000);
    expect(faulty.attempts).toHaveLength(2);
    expect(describeFacts()).toEqual(["faulty", "unavailable"]);
    withholdsSnapshots = false;
    faulty.memory.set([node("n")]);
    await clock.settle();
    expect(describeFacts()).toEqual(["faulty", "unavailable", "faulty", "available"]);
    await failover[Symbol.asyncDispose]();
  });
});

describe("wall-clock jumps", () => {
  test("back do not reduce the age of an old snapshot", async () => {
    // R2.6
    let primary!: MemoryProvider;
    const { clock, failover } = setUp((c) => [
      (primary = new MemoryProvider({ id: "primary", clock: c, members: [node("n")] })),
    ]);
    const { describeFacts } = read(failover);
    await clock.settle();
    primary.set([node("m")], { stalenessMs: 60_000, observedAt: clock.now() + 3_600_000 });
    await clock.settle();
    expect(describeFacts()).toEqual(["primary", "degraded", "primary"]);
    await failover[Symbol.asyncDispose]();
  });

  test("in either direction cause neither a failover nor a reconnect", async () => {
    const providers: FaultyProvider[] = [];
    const { clock, failover } = setUp((c) =>
      [1, 2].map((priority) => {
        const faulty = new FaultyProvider(c, `p${priority}`, priority, (memory, options) =>
          memory.watch(options),
        );
        providers.push(faulty);
        return faulty;
      }),
    );
    const { describeFacts } = read(failover);
    await clock.advance(7_000);
    for (const ms of [3_600_000, -7_200_000, 3_600_000]) {
      clock.jump(ms);
      await clock.advance(61_000);
    }
    expect(describeFacts()).toEqual(["p2"]);
    expect(providers.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
    await failover[Symbol.asyncDispose]();
  });
});

describe("reloads", () => {
  test("through an empty set report the new provider before its snapshot", async () => {
    // R3.4
    const { clock, failover } = setUp((c) => [make(c, "old", 1)]);
    const { describeFacts } = read(failover);
    await clock.settle();
    failover.reconfigure([]);
    await clock.settle();
    failover.reconfigure([make(clock, "new", 1)]);
    await clock.settle();
    expect(describeFacts()).toEqual([
      "old",
      "unavailable",
      "old>new removed_by_reload",
      "degraded",
      "new",
      "available",
    ]);
    await failover[Symbol.asyncDispose]();
  });

  test("through an empty set back to the same id do not report a switch", async () => {
    const { clock, failover } = setUp((c) => [make(c, "same", 1)]);
    const { describeFacts } = read(failover);
    await clock.settle();
    failover.reconfigure([]);
    failover.reconfigure([make(clock, "same", 1)]);
    await clock.settle();
    expect(describeFacts()).toEqual(["same", "unavailable", "degraded", "same", "available"]);
    await failover[Symbol.asyncDispose]();
  });

  test("never switch to a provider that they remove", async () => {
    // R5.4
    let a!: MemoryProvider;
    let b!: MemoryProvider;
    const { clock, failover } = setUp((c) => [(a = make(c, "a", 3)), (b = make(c, "b", 2)), make(c, "c", 1)]);
    const { describeFacts } = read(failover);
    await clock.advance(60_000);
    a.end();
    await clock.advance(0);
    let report = failover.health();
    while (report[0]!.health !== "healthy") {
      await clock.advance(1);
      report = failover.health();
    }
    // Just before the timer of the failback runs, at the time when it is due.
    await clock.advance(9_999);
    const monotonic = clock.monotonic.bind(clock);
    clock.monotonic = () => monotonic() + 1;
    failover.reconfigure([b, make(clock, "c", 1)]);
    clock.monotonic = monotonic;
    await clock.settle();
    expect(describeFacts()).toEqual(["a", "a>b stream_ended", "b"]);
    await failover[Symbol.asyncDispose]();
  });

  test("that remove the pinned provider release the pin, also for a later run", async () => {
    const clock = new VirtualClock();
    const [a, b] = [make(clock, "a", 2), make(clock, "b", 1)];
    const failover = new Failover({
      providers: [a, b],
      clock,
      random: createSeededRandom(1),
      guards: NO_DWELL,
    });
    failover.override("b");
    failover.reconfigure([a]);
    failover.reconfigure([a, b]);
    const { describeFacts } = read(failover);
    await clock.advance(60_000);
    expect(describeFacts()).toEqual(["a"]);
    await failover[Symbol.asyncDispose]();
  });
});
