import { connect } from "node:net";
import { TestEventSource, type ReceivedEvent } from "@holdfast-apps/test-support";
import { describe, expect, test } from "vitest";
import { member, serveHub, type ServedHub } from "../../../test/served-hub.ts";

/** Applies an event to the members as a client does. */
function apply(ids: Set<string>, { event, data }: ReceivedEvent): void {
  if (event === "state") {
    ids.clear();
    for (const node of data.members) ids.add(node.id);
  } else if (event === "snapshot") {
    for (const node of data.delta.added) ids.add(node.id);
    for (const id of data.delta.removed) ids.delete(id);
  }
}

async function takeIds(client: TestEventSource, count: number): Promise<readonly string[]> {
  return (await client.take(count)).map((event) => event.id);
}

async function refusal(response: Promise<Response>): Promise<unknown> {
  const { status, body } = await response.then(async (r) => ({ status: r.status, body: await r.text() }));
  return [status, JSON.parse(body).error.code];
}

const idsOf = (served: ServedHub) => served.hub.state.snapshot!.members.toArray().map((node) => node.id);

describe("/events", () => {
  test("starts with the whole state, followed by every later event", async () => {
    await using served = await serveHub();
    await served.set("a", "b");
    await using client = await TestEventSource.open(served.server.url);
    expect(client.response.headers.get("content-type")).toBe("text/event-stream");
    const { epoch } = served.hub;

    const [state] = await client.take(1);
    expect(state).toMatchObject({ id: `${epoch}:2`, event: "state", data: { seqNo: 2, status: "ready" } });
    await served.set("b", "c");
    served.hub.block("c");
    const events = await client.take(2);
    expect(events).toMatchObject([
      {
        id: `${epoch}:3`,
        event: "snapshot",
        data: {
          kind: "snapshot",
          epoch,
          seqNo: 3,
          providerId: "primary",
          previousHash: state!.data.hash,
          memberCount: 2,
          delta: { added: [member("c")], updated: [], removed: ["a"], blocked: [], unblocked: [] },
        },
      },
      { id: `${epoch}:4`, event: "snapshot", data: { blockedNodes: ["c"], delta: { blocked: ["c"] } } },
    ]);
    expect(events[1]!.data.hash).toBe(served.hub.state.snapshot!.hash);
  });

  test("resumes after the last event that a client received, without a gap or a repeat", async () => {
    await using served = await serveHub();
    await served.set("a");
    for (let round = 0; round < 5; round++) await served.set("a", `b${round}`);
    const { epoch } = served.hub;

    await using byHeader = await TestEventSource.open(served.server.url, { lastEventId: `${epoch}:3` });
    expect(await takeIds(byHeader, 4)).toEqual([4, 5, 6, 7].map((seqNo) => `${epoch}:${seqNo}`));
    const url = `${served.server.url}/events?lastEventId=${epoch}:6`;
    await using byQuery = new TestEventSource(await fetch(url));
    await served.set("z");
    expect(await takeIds(byQuery, 2)).toEqual([`${epoch}:7`, `${epoch}:8`]);
  });

  test.each([
    ["of another epoch", () => "mb3k2x9qf-0a1b2:3"],
    ["older than what is retained", (epoch: string) => `${epoch}:1`],
    ["not reached yet", (epoch: string) => `${epoch}:99`],
  ])("sends the whole state when the last event id is %s", async (_, toId) => {
    await using served = await serveHub({ retainedEvents: 3 });
    await served.set("a");
    for (let round = 0; round < 5; round++) await served.set("a", `b${round}`);
    const lastEventId = toId(served.hub.epoch);
    await using client = await TestEventSource.open(served.server.url, { lastEventId });
    expect(await client.next()).toMatchObject({ event: "state", id: `${served.hub.epoch}:7` });
    await served.set("c");
    expect(await client.next()).toMatchObject({ event: "snapshot", id: `${served.hub.epoch}:8` });
  });

  test("leads to the same members wherever it is interrupted", async () => {
    await using served = await serveHub({ retainedEvents: 4 });
    await served.set("n0");
    const known = new Set<string>();
    let lastEventId: string | undefined;
    for (let round = 1; round <= 12; round++) {
      await using client = await TestEventSource.open(
        served.server.url,
        lastEventId === undefined ? {} : { lastEventId },
      );
      // Between two and six events follow, sometimes more than the log retains.
      for (let step = 0; step <= round % 6; step++) await served.set(`n${round}`, `m${step}`, "x");
      const newest = `${served.hub.epoch}:${served.hub.state.seqNo}`;
      while (lastEventId !== newest) {
        const event = (await client.next())!;
        apply(known, event);
        lastEventId = event.id;
      }
      expect([...known].sort()).toEqual(idsOf(served));
    }
  });

  test.each(["17", "epoch:", "epoch:-1", "epoch:1.5", "epoch:99999999999999999", "a b:1", ":1"])(
    "refuses the malformed last event id %j",
    async (lastEventId) => {
      await using served = await serveHub();
      const response = fetch(`${served.server.url}/events`, { headers: { "last-event-id": lastEventId } });
      expect(await refusal(response)).toEqual([400, "VALIDATION_MALFORMED"]);
    },
  );

  test("accepts a limited number of clients, and another one when one leaves", async () => {
    await using served = await serveHub({ maxEventClients: 2 });
    await using _ = await TestEventSource.open(served.server.url);
    const leaving = await TestEventSource.open(served.server.url);
    expect(await refusal(fetch(`${served.server.url}/events`))).toEqual([503, "HTTP_TOO_MANY_CLIENTS"]);
    await leaving[Symbol.asyncDispose]();
    for (;;) {
      await using client = await TestEventSource.open(served.server.url);
      if (client.response.status === 200) break;
    }
  });

  test("keeps a quiet connection alive", async () => {
    await using served = await serveHub();
    await served.set("a");
    await using client = await TestEventSource.open(served.server.url);
    await client.next();
    await served.clock.advance(5_000);
    const next = client.next();
    await served.set("b");
    await next;
    expect(client.comments).toEqual(["nothing new"]);
  });

  test("ends with the draining event, and accepts no new client then", async () => {
    await using served = await serveHub();
    await served.set("a");
    await using client = await TestEventSource.open(served.server.url);
    await client.next();
    served.hub.drain("stopped by the test");
    // R3.5
    expect(await client.rest()).toMatchObject([
      { event: "status_changed", data: { from: "ready", to: "draining", reason: "stopped by the test" } },
    ]);
    expect(await refusal(fetch(`${served.server.url}/events`))).toEqual([503, "LIFECYCLE_SHUTTING_DOWN"]);
  });

  test("disconnects a client that stopped reading, which can then resume", async () => {
    await using served = await serveHub({ retainedEvents: 50 });
    await served.set("a");
    const { port } = new URL(served.server.url);
    const stalled = connect(Number(port), "127.0.0.1");
    const closed = new Promise((resolve) => void stalled.once("close", resolve));
    stalled.on("error", () => {});
    stalled.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await new Promise((resolve) => void stalled.once("readable", resolve));
    // From here on nothing is read. Each event is about 100 kB, so that the buffers of the sockets fill up as well.
    let rounds = 0;
    for (; rounds < 2_000 && served.server.eventClients > 0; rounds++) {
      const big = { ...member(`n${rounds}`), metadata: Object.fromEntries(FILL) };
      await served.publish([big]);
    }
    expect(served.server.eventClients).toBe(0);
    stalled.resume();
    await closed;
    const lastEventId = `${served.hub.epoch}:${served.hub.state.seqNo - 1}`;
    await using client = await TestEventSource.open(served.server.url, { lastEventId });
    expect(await client.next()).toMatchObject({
      event: "snapshot",
      data: { delta: { added: [{ id: `n${rounds - 1}` }] } },
    });
  });

  test("stops waiting for a client that left", async () => {
    await using served = await serveHub();
    await served.set("a");
    const before = served.clock.pendingTimers;
    const client = await TestEventSource.open(served.server.url);
    await client.next();
    expect(served.clock.pendingTimers).toBeGreaterThan(before);
    await client[Symbol.asyncDispose]();
    while (served.server.eventClients > 0) await served.clock.settle();
    await served.clock.settle();
    expect(served.clock.pendingTimers).toBe(before);
  });

  test("leaves nothing behind when its clients and the server are gone", async () => {
    const served = await serveHub();
    await served.set("a");
    const client = await TestEventSource.open(served.server.url);
    await client.next();
    await served[Symbol.asyncDispose]();
    expect(await client.rest().catch(() => "cut off")).toBeDefined();
    expect(served.server.eventClients).toBe(0);
    expect(served.clock.pendingTimers).toBe(0);
  });
});

const FILL = Array.from({ length: 12 }, (_, index) => [`key${index}`, "x".repeat(8_000)]);
