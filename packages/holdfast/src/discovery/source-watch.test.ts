import { EventChannel, ProvisioningError, type DiscoveryEvent, type ServiceDiscovery } from "@holdfast/core";
import { toHealthPolicy } from "@holdfast/provisioning";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { SourceWatch } from "./source-watch.ts";

/** A watch on a discovery whose streams the test controls. */
function setUp(change: Partial<ServiceDiscovery> = {}) {
  const clock = new VirtualClock();
  const streams: EventChannel<DiscoveryEvent>[] = [];
  const seen: string[] = [];
  let disposals = 0;
  const discovery: ServiceDiscovery = {
    services({ signal }) {
      const stream = new EventChannel<DiscoveryEvent>(signal);
      streams.push(stream);
      return stream;
    },
    async [Symbol.asyncDispose]() {
      disposals++;
    },
    ...change,
  };
  const watch = new SourceWatch({
    discovery,
    name: '"catalog"',
    policy: toHealthPolicy({}),
    clock,
    random: createSeededRandom(1),
    onServices: (services, isReset) =>
      seen.push(`${services.map(({ name }) => name).join(" ")}${isReset ? " (reset)" : ""}`),
    onAlive: () => seen.push("alive"),
    onFailure: ({ code }) => seen.push(code),
  });
  const end = async () => {
    await watch[Symbol.asyncDispose]();
    expect([clock.pendingTimers, disposals]).toEqual([0, 1]);
  };
  return { clock, streams, seen, watch, end };
}

const services = (...names: readonly string[]): DiscoveryEvent => ({
  type: "services",
  services: names.map((name) => ({ name })),
});
const HEARTBEAT: DiscoveryEvent = { type: "heartbeat" };

describe("SourceWatch", () => {
  test("passes lists, resets and signs of life on, but no sign of life before the first list of a watch", async () => {
    const it = setUp();
    await it.clock.settle();
    for (const event of [HEARTBEAT, services("a"), HEARTBEAT, { ...services("b"), isReset: true }]) {
      it.streams[0]?.push(event);
    }
    await it.clock.settle();
    expect(it.seen).toEqual(["a", "alive", "b (reset)"]);
    await it.end();
  });

  test.each<[string, (stream: EventChannel<DiscoveryEvent>) => void, string]>([
    [
      "fails",
      (stream) => stream.close({ error: new ProvisioningError("CONNECTIVITY_TLS", "x") }),
      "CONNECTIVITY_TLS",
    ],
    ["throws another error", (stream) => stream.close({ error: new Error("x") }), "STREAM_FAILED"],
    ["ends", (stream) => stream.close(), "STREAM_ENDED"],
  ])("a watch that %s is started again", async (_, stop, code) => {
    const it = setUp();
    await it.clock.settle();
    stop(it.streams[0]!);
    await it.clock.advance(2_000);
    expect([it.seen, it.streams.length]).toEqual([[code], 2]);
    it.streams[1]?.push(services("a"));
    await it.clock.settle();
    expect(it.seen).toEqual([code, "a"]);
    await it.end();
  });

  test("a watch that is silent for longer than the timeout is ended and started again", async () => {
    const it = setUp();
    await it.clock.settle();
    it.streams[0]?.push(services("a"));
    await it.clock.advance(14_000);
    it.streams[0]?.push(HEARTBEAT);
    await it.clock.advance(14_999);
    expect(it.seen).toEqual(["a", "alive"]);
    await it.clock.advance(2_001);
    expect([it.seen, it.streams.length]).toEqual([["a", "alive", "STREAM_SILENT"], 2]);
    await it.end();
  });

  test("a discovery that ignores its signal is abandoned", async () => {
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    const it = setUp({ services: () => never });
    await it.clock.advance(15_000);
    expect(it.seen).toEqual(["STREAM_SILENT"]);
    await it.end();
  });

  test("waits for the time that the backend asks for, in addition to the backoff", async () => {
    const it = setUp();
    await it.clock.settle();
    const details = { retryAfterMs: 20_000 };
    it.streams[0]?.close({ error: new ProvisioningError("CONNECTIVITY_OVERLOADED", "x", { details }) });
    await it.clock.advance(20_000);
    expect(it.streams).toHaveLength(1);
    await it.clock.advance(2_000);
    expect(it.streams).toHaveLength(2);
    await it.end();
  });

  test("the backoff is reset once a watch was alive for one cooldown", async () => {
    const it = setUp();
    const fail = async () => {
      it.streams.at(-1)?.close({ error: new ProvisioningError("CONNECTIVITY_REFUSED", "x") });
      await it.clock.advance(60_000);
    };
    for (let failure = 0; failure < 8; failure++) await fail();
    const before = it.streams.length;
    for (let second = 0; second <= 10; second++) {
      it.streams.at(-1)?.push(services("a"));
      await it.clock.advance(1_000);
    }
    it.streams.at(-1)?.close();
    await it.clock.advance(2_000);
    expect(it.streams.length).toBe(before + 1);
    await it.end();
  });

  test("nothing is passed on after the disposal, also when that fails", async () => {
    const it = setUp({ [Symbol.asyncDispose]: () => Promise.reject(new Error("broken")) });
    await it.clock.settle();
    const ending = it.watch[Symbol.asyncDispose]();
    it.streams[0]?.push(services("a"));
    await ending;
    await it.clock.advance(60_000);
    expect([it.seen, it.clock.pendingTimers]).toEqual([[], 0]);
  });
});
