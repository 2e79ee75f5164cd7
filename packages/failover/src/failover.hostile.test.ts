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

/** Whose content is shown is what these tests ask. */
const NO_DWELL = { removalDwellMs: 0 };

const node = (id: string) => ({ id, host: `${id}.local`, port: 80 });

type Watch = (memory: MemoryProvider, options: WatchOptions) => AsyncIterable<SourceEvent>;

/** A provider whose watch is whatever the test makes of a memory provider's; says when it was watched. */
class Odd implements ClusterProvider {
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

/** The first snapshot, and then what `after` does. */
function firstThen(after: () => Promise<void> | void): Watch {
  return async function* (memory, options) {
    const { value } = await memory.watch(options).next();
    if (value !== undefined) yield value;
    await after();
  };
}

/** Runs the failover; `news` gives content, switches and availability so far in a few words. */
function read(failover: Failover, signal = new AbortController().signal) {
  const facts = new UpdateFacts();
  const running = failover.run({ signal, onUpdate: facts.onUpdate });
  const news = () =>
    facts.all.flatMap((fact) => {
      if (fact.type === "snapshot") return fact.snapshot.providerId;
      if (fact.type === "switched")
        return `${fact.switched.from}>${fact.switched.to} ${fact.switched.reason}`;
      return fact.type === "availability" ? fact.availability : [];
    });
  return { news, running };
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
    ["ends", firstThen(() => undefined)],
    ["throws", firstThen(() => Promise.reject(new Error("odd")))],
    ["falls silent", firstThen(() => new Promise(() => {}))],
  ])("%s after its first snapshot, again and again, is retried less and less", async (_, watch) => {
    // R2.6
    let odd!: Odd;
    const { clock, failover } = setUp((c) => [(odd = new Odd(c, "odd", 1, watch))]);
    read(failover);
    await clock.advance(3_600_000);
    const waits = odd.attempts.slice(-40).map((at, i, all) => at - (all[i - 1] ?? at));
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
  ])("asks to be left alone for %s ms is left alone for %i ms and the backoff", async (asked, waitMs) => {
    // R2.6
    const error = new ProvisioningError("CONNECTIVITY_OVERLOADED", "odd", {
      details: { retryAfterMs: asked },
    });
    let odd!: Odd;
    const overloaded = firstThen(() => Promise.reject(error));
    const { clock, failover } = setUp((c) => [(odd = new Odd(c, "odd", 1, overloaded))]);
    read(failover);
    await clock.advance(120_000);
    const wait = odd.attempts[1]! - odd.attempts[0]!;
    expect(wait).toBeGreaterThan(waitMs);
    expect(wait).toBeLessThan(waitMs + 2_000);
    await failover[Symbol.asyncDispose]();
  });

  test("shows life and breaks, again and again, loses its place to a steady one", async () => {
    // R2.5 R2.6
    const { clock, failover } = setUp((c) => [
      new Odd(
        c,
        "odd",
        2,
        firstThen(() => Promise.reject(new Error("odd"))),
      ),
      new MemoryProvider({ id: "steady", priority: 1, clock: c, members: [node("n")] }),
    ]);
    const { news } = read(failover);
    await clock.advance(600_000);
    expect(news().at(-1)).toBe("available");
    expect(failover.health()).toMatchObject([{ isActive: false }, { providerId: "steady", isActive: true }]);
    await failover[Symbol.asyncDispose]();
  });

  test("shows no life for the timeout while it is being reconnected to is unreachable, whatever its errors", async () => {
    // R2.6
    let primary!: MemoryProvider;
    const { clock, failover } = setUp(
      (c) => [
        (primary = new MemoryProvider({ id: "primary", priority: 2, clock: c, members: [node("n")] })),
        new MemoryProvider({ id: "backup", priority: 1, clock: c, members: [node("m")] }),
      ],
      { maxErrors: 1_000 },
    );
    const { news } = read(failover);
    await clock.advance(20_000);
    primary.refuse();
    primary.fail();
    await clock.advance(14_999);
    expect(news()).not.toContain("primary>backup timeout");
    await clock.advance(1);
    expect(news()).toContain("primary>backup timeout");
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
  ])("%s when its stream is closed is watched again all the same", async (_, close) => {
    let odd!: Odd;
    const { clock, failover } = setUp((c) => [
      (odd = new Odd(c, "odd", 1, (memory, options) => {
        const iterator = memory.watch(options)[Symbol.asyncIterator]();
        return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next(), return: close }) };
      })),
    ]);
    read(failover);
    await clock.settle();
    odd.memory.fail();
    await clock.advance(5_000);
    expect(odd.attempts.length).toBeGreaterThan(1);
    expect(failover.health()).toMatchObject([{ health: "healthy" }]);
    await failover[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test("throws at the call to watch is retried like any other", async () => {
    let isWell = false;
    const { clock, failover } = setUp((c) => [
      new Odd(c, "odd", 1, (memory, options) => {
        if (!isWell) throw new Error("not now");
        return memory.watch(options);
      }),
    ]);
    const { news } = read(failover);
    await clock.advance(60_000);
    expect(news()).toEqual(["degraded", "unavailable"]);
    isWell = true;
    await clock.advance(30_000);
    expect(news()).toEqual(["degraded", "unavailable", "odd", "available"]);
    await failover[Symbol.asyncDispose]();
  });

  test("goes on talking after it was told to stop is not heard", async () => {
    const { clock, failover } = setUp((c) => [
      new Odd(c, "odd", 1, async function* (memory) {
        for await (const event of memory.watch({ signal: new AbortController().signal })) yield event;
      }),
    ]);
    const { news } = read(failover);
    await clock.settle();
    failover.reconfigure([]);
    await clock.advance(60_000);
    expect(news()).toEqual(["odd", "unavailable"]);
    await failover[Symbol.asyncDispose]();
  });

  test("gives signs of life but owes its first snapshot does not end the unavailability", async () => {
    // R5.3
    let owes = false;
    let odd!: Odd;
    const { clock, failover } = setUp(
      (c) => [
        (odd = new Odd(c, "odd", 1, async function* (memory, options) {
          for await (const event of memory.watch(options))
            if (!owes || event.type !== "snapshot") yield event;
        })),
      ],
      { maxErrors: 1 },
    );
    const { news } = read(failover);
    await clock.settle();
    owes = true;
    odd.memory.fail(new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no"));
    await clock.advance(60_000);
    expect(odd.attempts).toHaveLength(2);
    expect(news()).toEqual(["odd", "unavailable"]);
    owes = false;
    odd.memory.set([node("n")]);
    await clock.settle();
    expect(news()).toEqual(["odd", "unavailable", "odd", "available"]);
    await failover[Symbol.asyncDispose]();
  });
});

describe("wall-clock jumps", () => {
  test("back do not make an old answer young", async () => {
    // R2.6
    let primary!: MemoryProvider;
    const { clock, failover } = setUp((c) => [
      (primary = new MemoryProvider({ id: "primary", clock: c, members: [node("n")] })),
    ]);
    const { news } = read(failover);
    await clock.settle();
    primary.set([node("m")], { stalenessMs: 60_000, observedAt: clock.now() + 3_600_000 });
    await clock.settle();
    expect(news()).toEqual(["primary", "degraded", "primary"]);
    await failover[Symbol.asyncDispose]();
  });

  test("either way cause no fail-over and no reconnect", async () => {
    const providers: Odd[] = [];
    const { clock, failover } = setUp((c) =>
      [1, 2].map((priority) => {
        const odd = new Odd(c, `p${priority}`, priority, (memory, options) => memory.watch(options));
        providers.push(odd);
        return odd;
      }),
    );
    const { news } = read(failover);
    await clock.advance(7_000);
    for (const ms of [3_600_000, -7_200_000, 3_600_000]) {
      clock.jump(ms);
      await clock.advance(61_000);
    }
    expect(news()).toEqual(["p2"]);
    expect(providers.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
    await failover[Symbol.asyncDispose]();
  });
});

describe("reloads", () => {
  test("through an empty set still tell of the new provider before its content", async () => {
    // R3.4
    const { clock, failover } = setUp((c) => [make(c, "old", 1)]);
    const { news } = read(failover);
    await clock.settle();
    failover.reconfigure([]);
    await clock.settle();
    failover.reconfigure([make(clock, "new", 1)]);
    await clock.settle();
    expect(news()).toEqual([
      "old",
      "unavailable",
      "old>new removed_by_reload",
      "degraded",
      "new",
      "available",
    ]);
    await failover[Symbol.asyncDispose]();
  });

  test("through an empty set back to the same name are no change of provider", async () => {
    const { clock, failover } = setUp((c) => [make(c, "same", 1)]);
    const { news } = read(failover);
    await clock.settle();
    failover.reconfigure([]);
    failover.reconfigure([make(clock, "same", 1)]);
    await clock.settle();
    expect(news()).toEqual(["same", "unavailable", "degraded", "same", "available"]);
    await failover[Symbol.asyncDispose]();
  });

  test("never switch to a provider that they take away", async () => {
    // R5.4
    let a!: MemoryProvider;
    let b!: MemoryProvider;
    const { clock, failover } = setUp((c) => [(a = make(c, "a", 3)), (b = make(c, "b", 2)), make(c, "c", 1)]);
    const { news } = read(failover);
    await clock.advance(60_000);
    a.end();
    await clock.advance(0);
    let report = failover.health();
    while (report[0]!.health !== "healthy") {
      await clock.advance(1);
      report = failover.health();
    }
    // A hair before the timer that would give it its place back, at the time it is due.
    await clock.advance(9_999);
    const monotonic = clock.monotonic.bind(clock);
    clock.monotonic = () => monotonic() + 1;
    failover.reconfigure([b, make(clock, "c", 1)]);
    clock.monotonic = monotonic;
    await clock.settle();
    expect(news()).toEqual(["a", "a>b stream_ended", "b"]);
    await failover[Symbol.asyncDispose]();
  });

  test("that take the pinned provider away release the pin, also for a later watch", async () => {
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
    const { news } = read(failover);
    await clock.advance(60_000);
    expect(news()).toEqual(["a"]);
    await failover[Symbol.asyncDispose]();
  });
});
