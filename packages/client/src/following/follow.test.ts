import { createSeededRandom, MemorySnapshotStore, VirtualClock } from "@holdfast/testing";
import type { ClusterNodeInput, ProvisioningError, TopologyEvent } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeDaemon } from "../../test/fake-daemon.ts";
import { follow, type FollowOptions } from "./follow.ts";
import type { Transport } from "../connection/transport.ts";

const node = (id: string, port = 80): ClusterNodeInput => ({ id, host: `${id}.test`, port });
const nodes = (...ids: readonly string[]) => ids.map((id) => node(id));

interface SetUp extends Partial<FollowOptions> {
  readonly daemons?: number;
  readonly retainedEvents?: number;
}

function setUp({ daemons: count = 1, retainedEvents = 1_000, ...options }: SetUp = {}) {
  const clock = new VirtualClock();
  const names = ["one", "two"].slice(0, count);
  const daemons = names.map(() => new FakeDaemon({ clock, retainedEvents }));
  const transport: Transport = (request) =>
    daemons[names.indexOf(new URL(request.url).hostname)]!.transport(request);
  const warnings: ProvisioningError[] = [];
  const topology = follow({
    url: names.map((name) => `http://${name}`),
    clock,
    random: createSeededRandom(3),
    transport,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  const events: TopologyEvent[] = [];
  topology.onEvent((event) => events.push(event));
  const end = async () => {
    await clock.until(topology.close(), 60_000);
    for (const { hub } of daemons) await hub[Symbol.asyncDispose]();
    expect(daemons.map(({ openConnections }) => openConnections)).toEqual(names.map(() => 0));
    expect(clock.pendingTimers).toBe(0);
  };
  return { clock, daemon: daemons[0]!, daemons, topology, events, warnings, end };
}

const idsOf = (members: Iterable<{ readonly id: string }> = []) => [...members].map(({ id }) => id).join(" ");
/** `Last-Event-ID` of each request; `-` where there was none. */
const positionsOf = ({ requests }: FakeDaemon) =>
  requests.map(({ headers }) => headers["last-event-id"] ?? "-");

const unreachable: Transport = () => Promise.reject(new Error("not reachable"));

// R7.4
describe("follow", () => {
  test("has the members of the daemon, and every change of them", async () => {
    const { clock, daemon, topology, end } = setUp();
    daemon.publish(nodes("a", "b"));
    expect(idsOf((await clock.until(topology.ready(), 1_000)).members)).toBe("a b");
    daemon.publish([node("b", 81), node("c")]);
    await clock.settle();
    expect(idsOf(topology.members())).toBe("b c");
    expect(topology.members().get("b")?.port).toBe(81);
    expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
    expect(topology.state).toMatchObject({ status: "ready", isStale: false });
    await end();
  });

  test("an empty topology that is no longer current there is not current here, and the next daemon takes over", async () => {
    const { clock, daemons, topology, events, end } = setUp({ daemons: 2 });
    const [first, second] = daemons;
    first!.publish([]);
    second!.publish(nodes("a"));
    await clock.advance(1_000);
    expect(topology.state).toMatchObject({ status: "empty", isStale: false });
    first!.updates.send({ availability: "degraded", reason: "the backend does not confirm its content" });
    await clock.advance(20_000);
    expect(events.filter(({ kind }) => kind === "provider_changed")).toMatchObject([
      { from: "one", to: "two", reason: "health_degraded" },
    ]);
    expect(idsOf(topology.members())).toBe("a");
    await end();
  });

  test("the same address in two forms is one daemon; two schemes of one host are two daemons", async () => {
    const url = ["http://one", "http://one/", "HTTP://ONE:80", "https://one"];
    const clock = new VirtualClock();
    await using topology = follow({ url, clock, random: createSeededRandom(3), transport: unreachable });
    expect(topology.daemons().map(({ providerId }) => providerId)).toEqual(["http://one", "https://one"]);
    await using single = follow({
      url: url.slice(0, 3),
      clock,
      random: createSeededRandom(3),
      transport: unreachable,
    });
    expect(single.daemons().map(({ providerId }) => providerId)).toEqual(["one"]);
  });

  test("nodes that are blocked there are blocked here, and free again when they are free there", async () => {
    const { clock, daemon, topology, end } = setUp();
    daemon.publish(nodes("a", "b"));
    await clock.settle();
    daemon.hub.block("a");
    await clock.settle();
    expect(topology.state.snapshot).toMatchObject({
      blockedNodes: ["a"],
      hash: daemon.hub.state.snapshot?.hash,
    });
    daemon.hub.restore("a");
    daemon.publish(nodes("a", "b", "c"));
    await clock.settle();
    expect(topology.state.snapshot).toMatchObject({
      blockedNodes: [],
      hash: daemon.hub.state.snapshot?.hash,
    });
    await end();
  });

  test.each([
    [
      "degraded",
      { availability: "degraded", reason: "all providers fail" },
      "degraded",
      /all providers fail/,
    ],
    [
      "unavailable",
      { availability: "unavailable", reason: "no provider can serve" },
      "unavailable",
      /no provider can serve/,
    ],
  ] as const)(
    "a daemon that is %s is not taken for current: the content is held",
    async (_, update, status, reason) => {
      const { clock, daemon, topology, end } = setUp();
      daemon.publish(nodes("a"));
      await clock.settle();
      daemon.updates.send(update);
      await clock.advance(60_000);
      expect(topology.state).toMatchObject({ status, isStale: true });
      expect(topology.state.statusReason).toMatch(reason);
      expect(topology.state.snapshot?.members.size).toBe(1);
      daemon.publish(nodes("a", "b"));
      await clock.advance(60_000);
      expect(topology.state).toMatchObject({ status: "ready", isStale: false });
      await end();
    },
  );

  test("a daemon that is connected to before it has started is followed through the change of its epoch", async () => {
    const { clock, daemon, topology, warnings, end } = setUp();
    await clock.settle();
    daemon.tamper = (frame) => frame.replaceAll("run-1", "final");
    daemon.publish(nodes("a"));
    await clock.settle();
    expect(idsOf(topology.members())).toBe("a");
    expect([positionsOf(daemon), warnings]).toEqual([["-"], []]);
    await end();
  });

  test("a daemon that has nothing yet is waited for, and is not an empty topology", async () => {
    const { clock, daemon, topology, end } = setUp();
    await clock.advance(60_000);
    expect(() => topology.members()).toThrow(/TOPOLOGY_(NO_SNAPSHOT|UNAVAILABLE)/);
    daemon.publish([]);
    await clock.settle();
    expect(topology.state.status).toBe("empty");
    await end();
  });
});

// R7.4
describe("a connection that breaks", () => {
  test("is opened again and continues after the last event, without the whole state", async () => {
    const { clock, daemon, topology, events, end } = setUp();
    daemon.publish(nodes("a"));
    await clock.settle();
    const { epoch, seqNo } = daemon.hub.state;
    daemon.disconnect();
    await clock.settle();
    expect(topology.state).toMatchObject({ status: "degraded", isStale: true });
    daemon.publish(nodes("a", "b"));
    await clock.advance(10_000);
    expect(positionsOf(daemon)).toEqual(["-", `${epoch}:${seqNo}`]);
    expect(idsOf(topology.members())).toBe("a b");
    const contents = events.flatMap((event) =>
      event.kind === "snapshot" ? idsOf(event.snapshot.members) : [],
    );
    expect(contents).toEqual(["a", "a b"]);
    await end();
  });

  test("gets the state again when the daemon no longer has the missed events, or was restarted", async () => {
    const { clock, daemon, topology, end } = setUp({ retainedEvents: 3 });
    daemon.publish(nodes("a"));
    await clock.settle();
    daemon.mode = "down";
    daemon.disconnect();
    for (let i = 0; i < 10; i++) daemon.publish(nodes("a", `b${i}`));
    daemon.mode = "up";
    await clock.advance(40_000);
    expect(idsOf(topology.members())).toBe("a b9");
    daemon.restart();
    daemon.publish(nodes("c"));
    await clock.advance(40_000);
    expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
    expect(topology.state.status).toBe("ready");
    await end();
  });

  test("that reports its content as stale does not confirm it", async () => {
    const { clock, daemon, topology, end } = setUp();
    daemon.publish(nodes("a"));
    await clock.settle();
    daemon.updates.send({ availability: "degraded", reason: "the backend does not respond" });
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "degraded", isStale: true });
    expect(topology.confirmedMsAgo()).toBe(60_000);
    daemon.publish(nodes("a"));
    await clock.advance(6_000);
    expect(topology.confirmedMsAgo()).toBeLessThanOrEqual(5_000);
    await end();
  });

  test("that is silent is given up after the timeout", async () => {
    const { clock, daemon, topology, end } = setUp();
    daemon.publish(nodes("a"));
    await clock.settle();
    daemon.mode = "hanging";
    await clock.advance(10_000);
    expect(topology.state.isStale).toBe(false);
    await clock.advance(10_000);
    expect(topology.state).toMatchObject({ isStale: true, statusCause: { code: "STREAM_SILENT" } });
    expect(topology.confirmedMsAgo()).toBeGreaterThan(10_000);
    daemon.mode = "up";
    await clock.advance(60_000);
    expect(topology.state.isStale).toBe(false);
    expect(topology.confirmedMsAgo()).toBeLessThanOrEqual(5_000);
    await end();
  });
});

/** Changes the data of frames with this event. */
const changeJson = (name: string, change: (data: Record<string, unknown>) => void) => (frame: string) => {
  const data = /^data: (.*)$/m.exec(frame)?.[1];
  if (!frame.includes(`event: ${name}\n`) || data === undefined) return frame;
  const value = JSON.parse(data);
  change(value);
  return frame.replace(data, JSON.stringify(value));
};

// R7.4
describe("data that does not fit", () => {
  test.each<[string, (frame: string) => string]>([
    ["another hash", changeJson("snapshot", (data) => (data["hash"] = "0".repeat(16)))],
    ["another number of members", changeJson("snapshot", (data) => (data["memberCount"] = 7))],
    ["another hash before", changeJson("snapshot", (data) => (data["previousHash"] = "0".repeat(16)))],
    ["a number that leaves a gap", changeJson("snapshot", (data) => (data["seqNo"] = 99))],
    ["another epoch", changeJson("snapshot", (data) => (data["epoch"] = "other"))],
    ["a lost member", changeJson("snapshot", (data) => ((data["delta"] as { added: unknown[] }).added = []))],
    [
      "a malformed member",
      changeJson("snapshot", (data) => ((data["delta"] as { added: unknown[] }).added = [{ id: 5 }])),
    ],
    [
      "no JSON",
      (frame) => (frame.includes("event: snapshot\n") ? frame.replace("data: {", "data: {{") : frame),
    ],
    ["a missing field", changeJson("snapshot", (data) => delete data["memberCount"])],
  ])("%s breaks the connection, and the whole state is read again", async (_, tamper) => {
    const { clock, daemon, topology, events, end } = setUp();
    daemon.publish(nodes("a"));
    await clock.settle();
    daemon.tamper = tamper;
    daemon.publish(nodes("a", "b"));
    await clock.settle();
    expect(topology.state).toMatchObject({ isStale: true, statusCause: { code: "STREAM_INVALID_DATA" } });
    expect(idsOf(topology.state.snapshot?.members)).toBe("a");
    daemon.tamper = (frame) => frame;
    await clock.advance(10_000);
    expect(positionsOf(daemon)).toEqual(["-", "-"]);
    expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
    const cause = events.find((event) => event.kind === "status_changed" && event.to === "degraded");
    expect(cause).toMatchObject({ cause: { code: "STREAM_INVALID_DATA" } });
    await end();
  });

  test.each([
    [401, "CONNECTIVITY_UNAUTHORIZED"],
    [404, "CONNECTIVITY_REFUSED"],
    [503, "CONNECTIVITY_OVERLOADED"],
  ])("the status %i is a failure with a code", async (status, code) => {
    const { clock, daemon, topology, end } = setUp();
    daemon.status = status;
    await clock.settle();
    expect(topology.daemons()).toMatchObject([{ providerId: "one", reason: { code } }]);
    await end();
  });

  test("a server that is not a daemon is named as such", async () => {
    const { clock, daemon, topology, end } = setUp();
    daemon.responseHeaders = { "content-type": "text/html" };
    await clock.settle();
    expect(topology.daemons()[0]?.reason?.message).toMatch(
      /the server at http:\/\/one is not a Holdfast daemon/,
    );
    await end();
  });
});

// R7.4
describe("several daemons", () => {
  test("only the first is connected; when it fails, the second takes over and says so", async () => {
    const { clock, daemons, topology, events, end } = setUp({ daemons: 2 });
    const [one, two] = daemons as [FakeDaemon, FakeDaemon];
    one.publish(nodes("a", "b"));
    two.publish(nodes("a", "b"));
    await clock.advance(30_000);
    expect([one.openConnections, two.openConnections]).toEqual([1, 0]);
    one.mode = "down";
    one.disconnect();
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "ready", snapshot: { providerId: "two" } });
    expect(events.find(({ kind }) => kind === "provider_changed")).toMatchObject({ from: "one", to: "two" });
    one.mode = "up";
    await clock.advance(60_000);
    expect(topology.state.snapshot?.providerId).toBe("one");
    expect(events.filter(({ kind }) => kind === "provider_changed")).toHaveLength(2);
    await end();
  });

  test("a daemon that drains is left at once", async () => {
    const { clock, daemons, topology, end } = setUp({ daemons: 2 });
    const [one, two] = daemons as [FakeDaemon, FakeDaemon];
    one.publish(nodes("a"));
    two.publish(nodes("a"));
    await clock.advance(30_000);
    one.hub.drain("a deployment");
    one.mode = "down";
    await clock.settle();
    expect(topology.state.snapshot?.providerId).toBe("two");
    await end();
  });

  test("members that only the daemon before knew stay for a while, and are named", async () => {
    const { clock, daemons, topology, end } = setUp({ daemons: 2 });
    const [one, two] = daemons as [FakeDaemon, FakeDaemon];
    one.publish(nodes("a", "b", "c"));
    two.publish(nodes("a", "b"));
    await clock.advance(30_000);
    one.mode = "down";
    one.disconnect();
    await clock.until(
      topology.waitFor(({ snapshot }) => snapshot?.providerId === "two"),
      60_000,
    );
    expect(topology.state).toMatchObject({
      status: "degraded",
      isStale: false,
      snapshot: { retained: ["c"] },
    });
    await clock.advance(15_000);
    expect(idsOf(topology.members())).toBe("a b");
    await end();
  });
});

test("starts with the last known good snapshot while no daemon answers, and only of the same daemons", async () => {
  const store = new MemorySnapshotStore();
  const lastKnownGood = { store, saveEveryMs: 1_000 };
  const first = setUp({ lastKnownGood });
  first.daemon.publish(nodes("a", "b"));
  await first.clock.advance(5_000);
  await first.end();
  const again = setUp({ lastKnownGood, clock: first.clock });
  again.daemon.mode = "down";
  await first.clock.advance(1_000);
  expect(again.topology.state).toMatchObject({ status: "degraded", isStale: true });
  expect(idsOf(again.topology.members())).toBe("a b");
  await first.clock.until(again.topology.close(), 60_000);
  const other = setUp({ lastKnownGood, daemons: 2, clock: first.clock });
  for (const daemon of other.daemons) daemon.mode = "down";
  await first.clock.advance(1_000);
  expect(other.topology.state.snapshot).toBeUndefined();
  await first.clock.until(other.topology.close(), 60_000);
});

test.each([
  ["no address", [], /url: expected an address .* got none/],
  ["a path", ["http://one/events"], /url\[0\]: expected an address/],
  ["credentials", ["http://one", "http://user:secret@two"], /url\[1\]: expected an address/],
  ["another protocol", ["ftp://one"], /url\[0\]: expected an address/],
])("%s is refused, and not quoted", (_, url, words) => {
  expect(() => follow({ url })).toThrow(words);
  expect(() => follow({ url })).not.toThrow(/secret/);
});

// R7.4: for any run of content, blocks, broken connections and restarts.
test("the follower ends with the members, blocks and hash of the daemon, and its own log replays to them", async () => {
  const ids = ["a", "b", "c", "d"];
  const step = fc.oneof(
    fc.record({
      what: fc.constant("publish" as const),
      ids: fc.subarray(ids),
      port: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ what: fc.constantFrom("block" as const, "restore" as const), id: fc.constantFrom(...ids) }),
    fc.record({
      what: fc.constantFrom<"disconnect" | "restart" | "hang" | "wait" | "stale">(
        "disconnect",
        "restart",
        "hang",
        "wait",
        "stale",
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { clock, daemon, topology, events, end } = setUp({
        retainedEvents: 4,
        guards: { massRemoval: false },
      });
      for (const s of steps) {
        if (s.what === "publish") daemon.publish(s.ids.map((id) => node(id, s.port)));
        else if (s.what === "block") daemon.hub.block(s.id);
        else if (s.what === "restore") daemon.hub.restore(s.id);
        else if (s.what === "disconnect") daemon.disconnect();
        else if (s.what === "restart") daemon.restart();
        else if (s.what === "stale") daemon.updates.send({ availability: "degraded", reason: "stale" });
        else if (s.what === "wait") await clock.advance(3_000);
        else {
          daemon.mode = "hanging";
          await clock.advance(20_000);
          daemon.mode = "up";
        }
        await clock.settle();
      }
      daemon.publish(nodes("z"));
      await clock.advance(90_000);
      expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
      expect(topology.state.snapshot?.blockedNodes).toEqual(daemon.hub.state.snapshot?.blockedNodes);
      expect(topology.state).toMatchObject({ status: "ready", isStale: false });
      let hash: string | undefined;
      for (const event of events) {
        if (event.kind !== "snapshot") continue;
        expect(event.previousHash).toBe(hash);
        ({ hash } = event.snapshot);
      }
      expect(hash).toBe(daemon.hub.state.snapshot?.hash);
      await end();
    }),
    { numRuns: 60 },
  );
});
