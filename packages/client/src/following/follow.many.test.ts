import { createSeededRandom, MemorySnapshotStore, VirtualClock } from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Transport } from "../connection/transport.ts";
import { FakeDaemon } from "../../test/fake-daemon.ts";
import { idsOf, node, nodes } from "../../test/follow-setup.ts";
import type { FollowManyOptions } from "./follow-options.ts";
import { follow } from "./follow.ts";

interface SetUp extends Partial<Omit<FollowManyOptions, "clock" | "topologies">> {
  readonly clock?: VirtualClock;
  readonly daemons?: number;
  readonly retainedEvents?: number;
  /** Those that the daemons have. @defaultValue those that are followed */
  readonly existing?: readonly string[];
}

function setUp(topologies: readonly string[], options: SetUp = {}) {
  const { clock = new VirtualClock(), daemons: count = 1, existing = topologies, retainedEvents } = options;
  const names = ["one", "two"].slice(0, count);
  const daemons = names.map(
    (instance) => new FakeDaemon({ clock, instance, retainedEvents, topologies: existing }),
  );
  const transport: Transport = (request) =>
    daemons[names.indexOf(new URL(request.url).hostname)]!.transport(request);
  const url = names.map((name) => `http://${name}`);
  const random = createSeededRandom(5);
  const directory = follow({ url, topologies, transport, random, ...options, clock });
  const end = async () => {
    await clock.until(directory.close(), 60_000);
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
    expect(daemons.map(({ openConnections }) => openConnections)).toEqual(names.map(() => 0));
    expect(clock.pendingTimers).toBe(0);
  };
  const statuses = () =>
    directory
      .names()
      .map((name) => directory.topology(name).state.status)
      .join(" ");
  const membersOf = (name: string) => idsOf(directory.topology(name).state.snapshot?.members);
  return { clock, daemon: daemons[0]!, daemons, directory, end, statuses, membersOf };
}

/** The values of `topology` of a request. */
const topicsOf = ({ url }: { readonly url: string }) => new URL(url).searchParams.getAll("topology");

const thirty = Array.from({ length: 30 }, (_, i) => `service-${i}`);

// R7.1 R7.4
describe("many topologies of a daemon", () => {
  test("share one connection, and each has its own members and log", async () => {
    const { clock, daemon, directory, end } = setUp(thirty);
    for (const name of thirty) daemon.publish(nodes(`${name}-a`), { topology: name });
    await clock.until(directory.ready(), 1_000);
    expect(directory.names()).toEqual(thirty.toSorted());
    expect(daemon.requests.map(topicsOf)).toEqual([thirty]);
    expect(daemon.openConnections).toBe(1);
    const counts = thirty.map((name) => directory.topology(name).state.seqNo);
    daemon.publish(nodes("b", "c"), { topology: "service-7" });
    await clock.settle();
    for (const [i, name] of thirty.entries()) {
      const { state } = directory.topology(name);
      expect(idsOf(state.snapshot?.members)).toBe(i === 7 ? "b c" : `${name}-a`);
      expect(state.snapshot?.hash).toBe(daemon.topology(name).hub.state.snapshot?.hash);
      expect(state.seqNo === counts[i]).toBe(i !== 7);
    }
    await end();
  });

  test("continue together after one request when the connection breaks", async () => {
    const { clock, daemon, directory, end, statuses } = setUp(thirty);
    for (const name of thirty) daemon.publish(nodes("a"), { topology: name });
    await clock.until(directory.ready(), 1_000);
    daemon.stateLength = 0;
    daemon.disconnect();
    await clock.settle();
    expect(new Set(statuses().split(" "))).toEqual(new Set(["degraded"]));
    for (const name of thirty) daemon.publish(nodes("a", "b"), { topology: name });
    await clock.advance(10_000);
    expect(new Set(statuses().split(" "))).toEqual(new Set(["ready"]));
    expect(daemon.requests).toHaveLength(2);
    expect(topicsOf(daemon.requests[1]!).every((topic) => /^service-\d+@run-\d+\/2;\w+$/.test(topic))).toBe(
      true,
    );
    expect(daemon.stateLength).toBe(0);
    await end();
  });

  test("that are hundreds share a few connections, which continue after an interruption and after a restart", async () => {
    const hundreds = Array.from(
      { length: 300 },
      (_, i) => `${"a-name-of-50-characters-".padEnd(46, "x")}-${i + 100}`,
    );
    const { clock, daemon, directory, end, statuses } = setUp(hundreds);
    const isReady = () =>
      statuses()
        .split(" ")
        .every((status) => status === "ready");
    for (const name of hundreds) daemon.publish(nodes("a"), { topology: name });
    await clock.until(directory.ready(), 1_000);
    const { openConnections } = daemon;
    expect(openConnections).toBeLessThan(8);
    daemon.stateLength = 0;
    daemon.disconnect();
    await clock.advance(30_000);
    expect([isReady(), daemon.openConnections, daemon.stateLength]).toEqual([true, openConnections, 0]);
    daemon.restart();
    for (const name of hundreds) daemon.publish(nodes("b"), { topology: name });
    await clock.advance(30_000);
    expect([isReady(), daemon.openConnections]).toEqual([true, openConnections]);
    expect(new Set(hundreds.map((name) => idsOf(directory.topology(name).members())))).toEqual(
      new Set(["b"]),
    );
    await end();
  });

  test("that are restarted with their content get it without the members", async () => {
    const { clock, daemon, directory, end, statuses } = setUp(["a", "b", "c"]);
    const many = Array.from({ length: 300 }, (_, i) => node(`n${i}`));
    for (const name of ["a", "b", "c"]) daemon.publish(many, { topology: name });
    await clock.until(directory.ready(), 1_000);
    daemon.stateLength = 0;
    daemon.restart();
    for (const name of ["a", "b"]) daemon.publish(many, { topology: name });
    daemon.publish(many.slice(1), { topology: "c" });
    await clock.advance(30_000);
    expect(statuses()).toBe("ready ready ready");
    expect(["a", "b", "c"].map((name) => directory.topology(name).members().size)).toEqual([300, 300, 299]);
    expect(daemon.stateLength).toBeLessThan(30_000);
    await end();
  });

  test("one that the daemon does not have is an error of that one, and is followed when it appears", async () => {
    const { clock, daemon, directory, end, statuses } = setUp(["a", "b"], { existing: ["a"] });
    daemon.publish(nodes("x"), { topology: "a" });
    await clock.advance(60_000);
    expect(statuses()).toBe("ready unavailable");
    expect(directory.topology("b").daemons()).toMatchObject([{ reason: { code: "TOPOLOGY_UNKNOWN" } }]);
    expect(() => directory.topology("b").members()).toThrow("TOPOLOGY_UNAVAILABLE");
    daemon.add("b");
    daemon.publish(nodes("y"), { topology: "b" });
    await clock.advance(40_000);
    expect(statuses()).toBe("ready ready");
    expect(daemon.requests).toHaveLength(1);
    await end();
  });

  test("one that disappears keeps its members, marked as stale, and comes back with its new content", async () => {
    const { clock, daemon, end, statuses, membersOf } = setUp(["a", "b"]);
    for (const name of ["a", "b"]) daemon.publish(nodes("x"), { topology: name });
    await clock.advance(1_000);
    daemon.remove("b");
    await clock.advance(60_000);
    expect(statuses()).toBe("ready unavailable");
    expect(membersOf("b")).toBe("x");
    daemon.add("b");
    daemon.publish(nodes("y"), { topology: "b" });
    await clock.advance(60_000);
    expect(statuses()).toBe("ready ready");
    expect(membersOf("b")).toBe("y");
    await end();
  });

  test("one that is unavailable does not disturb the others, and recovers on the same connection", async () => {
    const { clock, daemon, end, statuses } = setUp(["a", "b"]);
    for (const name of ["a", "b"]) daemon.publish(nodes("x"), { topology: name });
    await clock.advance(1_000);
    daemon.topology("a").updates.send({ availability: "unavailable", reason: "no provider can serve" });
    await clock.advance(60_000);
    expect(statuses()).toBe("unavailable ready");
    daemon.publish(nodes("x", "y"), { topology: "a" });
    await clock.advance(40_000);
    expect(statuses()).toBe("ready ready");
    expect(daemon.requests).toHaveLength(1);
    await end();
  });

  test("one with data that does not fit is read again, and the others continue", async () => {
    const { clock, daemon, directory, end, statuses, membersOf } = setUp(["a", "b"]);
    for (const name of ["a", "b"]) daemon.publish(nodes("x"), { topology: name });
    await clock.advance(1_000);
    const { seqNo } = directory.topology("a").state;
    daemon.tamper = (frame) => frame.replace('"memberCount":2', '"memberCount":9');
    daemon.publish(nodes("x", "y"), { topology: "b" });
    await clock.settle();
    expect(statuses()).toBe("ready degraded");
    daemon.tamper = (frame) => frame;
    await clock.advance(20_000);
    expect(statuses()).toBe("ready ready");
    expect(membersOf("b")).toBe("x y");
    expect(topicsOf(daemon.requests[1]!)).toEqual([expect.stringMatching(/^a@run-1\/2;/), "b"]);
    expect(directory.topology("a").state.seqNo).toBe(seqNo);
    await end();
  });

  test("one that only the second daemon can serve is followed there, alone", async () => {
    const { clock, daemons, directory, end, statuses } = setUp(["a", "b"], { daemons: 2 });
    for (const daemon of daemons)
      for (const name of ["a", "b"]) daemon.publish(nodes("x"), { topology: name });
    await clock.advance(30_000);
    daemons[0]!.topology("b").updates.send({ availability: "unavailable", reason: "its backend fails" });
    await clock.advance(60_000);
    expect(statuses()).toBe("ready ready");
    const providers = ["a", "b"].map((name) => directory.topology(name).state.snapshot?.providerId);
    expect(providers).toEqual(["one", "two"]);
    expect(daemons.map(({ openConnections }) => openConnections)).toEqual([1, 1]);
    await end();
  });

  test("each has a last known good snapshot of its own", async () => {
    const stores = new Map(["a", "b"].map((name) => [name, new MemorySnapshotStore()]));
    const lastKnownGood = (name: string) => ({ store: stores.get(name)!, saveEveryMs: 1_000 });
    const first = setUp(["a", "b"], { lastKnownGood });
    const { clock } = first;
    for (const name of ["a", "b"]) first.daemon.publish(nodes(`${name}-x`), { topology: name });
    await clock.advance(5_000);
    await first.end();
    const again = setUp(["a", "b"], { lastKnownGood, clock });
    again.daemon.mode = "down";
    await clock.settle();
    expect([again.statuses(), again.membersOf("a"), again.membersOf("b")]).toEqual([
      "degraded degraded",
      "a-x",
      "b-x",
    ]);
    await again.end();
  });

  test("a name that is not followed is an error that names those that are", async () => {
    const { directory, end } = setUp(["b", "a"]);
    expect(() => directory.topology("c")).toThrow(/TOPOLOGY_UNKNOWN.*followed are a, b/);
    expect(directory.find("c")).toBeUndefined();
    await end();
  });

  test("a text that is not a name is refused before anything is followed", () => {
    const clock = new VirtualClock();
    const start = () => follow({ url: "http://one", topologies: ["a", "b/c"], clock });
    expect(start).toThrow(/VALIDATION_MALFORMED.*topologies\[1\]/);
    expect(clock.pendingTimers).toBe(0);
  });
});

type Disturbance = "disconnect" | "restart" | "hang" | "wait" | "garbage";

async function disturb(what: Disturbance, { daemon, clock }: ReturnType<typeof setUp>): Promise<void> {
  if (what === "disconnect") daemon.disconnect();
  else if (what === "restart") daemon.restart();
  else if (what === "garbage") daemon.send("id: a@run-1/1\nevent: snapshot\ndata: {}\n\n");
  else if (what === "wait") await clock.advance(3_000);
  else {
    daemon.mode = "hanging";
    await clock.advance(20_000);
    daemon.mode = "up";
  }
}

// R7.1 R7.4: for any run of content, broken connections, restarts, and topologies that come and go.
test("each of several topologies ends with the members, blocks and hash that the daemon has", async () => {
  const names = ["a", "b", "c"];
  const step = fc.oneof(
    fc.record({
      what: fc.constant("publish" as const),
      name: fc.constantFrom(...names),
      ids: fc.subarray(["w", "x", "y", "z"]),
      port: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({
      what: fc.constantFrom<"remove" | "add" | "unavailable" | "stale" | "block">(
        "remove",
        "add",
        "unavailable",
        "stale",
        "block",
      ),
      name: fc.constantFrom(...names),
    }),
    fc.record({
      what: fc.constantFrom<Disturbance>("disconnect", "restart", "hang", "wait", "garbage"),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const it = setUp(names, { retainedEvents: 4, guards: { massRemoval: false } });
      const { clock, daemon } = it;
      for (const s of steps) {
        if (!("name" in s)) await disturb(s.what, it);
        else if (s.what === "add") daemon.add(s.name);
        else if (s.what === "remove") daemon.remove(s.name);
        else if (daemon.has(s.name)) {
          const { hub, updates } = daemon.topology(s.name);
          if (s.what === "block") hub.block("x");
          else if (s.what === "stale") updates.send({ availability: "degraded", reason: "stale" });
          else if (s.what === "publish")
            daemon.publish(
              s.ids.map((id) => node(id, s.port)),
              { topology: s.name },
            );
          else updates.send({ availability: "unavailable", reason: "gone" });
        }
        await clock.settle();
      }
      for (const name of names) {
        daemon.add(name);
        daemon.publish(nodes("z"), { topology: name });
      }
      await clock.advance(120_000);
      expect(it.statuses()).toBe("ready ready ready");
      for (const name of names) {
        const { snapshot } = it.directory.topology(name).state;
        const expected = daemon.topology(name).hub.state.snapshot;
        expect([snapshot?.hash, snapshot?.blockedNodes]).toEqual([expected?.hash, expected?.blockedNodes]);
      }
      expect(daemon.openConnections).toBe(1);
      await it.end();
    }),
    { numRuns: 60 },
  );
});
