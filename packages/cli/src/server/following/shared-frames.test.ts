import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { TestEventSource, type ReceivedEvent } from "@holdfast-apps/test-support";
import { createClusterNode, createSnapshot, MemberSet, systemClock } from "@holdfast/core";
import { describe, expect, test, vi } from "vitest";
import { RawClient } from "../../../test/raw-client.ts";
import { member, serveHub, type ServedHub } from "../../../test/served-hub.ts";
import { STREAM_BYTES_PER_TURN, WRITE_DEADLINE_MS } from "../server-limits.ts";

const run = promisify(execFile);

const GET = (path: string, ...headers: readonly string[]) =>
  `GET ${path} HTTP/1.1\r\n${["Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

/** Members of about 3 MB together, so that their text takes many writes. */
function largeMembers(generation = 0) {
  const metadata = { generation: String(generation), text: "x".repeat(1_000) };
  return Array.from({ length: 3_000 }, (_, index) => ({ ...member(`n${index}`), metadata }));
}

/** A system clock that counts the turns of the event loop in which responses are written. */
function createCountingClock() {
  const clock = {
    ...systemClock,
    turns: 0,
    yield: async () => {
      await systemClock.yield();
      clock.turns++;
    },
  };
  return clock;
}

/** The body of a chunked response (RFC 9112, section 7.1), and whether it has ended. */
function readChunks(response: Buffer): { readonly body: Buffer; readonly hasEnded: boolean } {
  const bodies: Buffer[] = [];
  let at = response.indexOf("\r\n\r\n") + 4;
  for (;;) {
    const lineEnd = response.indexOf("\r\n", at);
    const size = Number.parseInt(response.subarray(at, lineEnd).toString(), 16);
    if (lineEnd < 0 || !(size > 0)) return { body: Buffer.concat(bodies), hasEnded: size === 0 };
    bodies.push(response.subarray(lineEnd + 2, lineEnd + 2 + size));
    expect(response.subarray(lineEnd + 2 + size, lineEnd + 4 + size).toString()).toBe("\r\n");
    at = lineEnd + 4 + size;
  }
}

const bytesOf = (client: RawClient) => Buffer.from(client.text, "latin1");
const stateOf = (events: readonly ReceivedEvent[]) => events.find(({ event }) => event === "state")!;

// R7.5
describe("followers share what they are sent", () => {
  test("the state and each event are encoded once for all of them", async () => {
    let heads = 0;
    const providers = () => {
      heads++;
      return [];
    };
    await using served = await serveHub({ view: { providers }, maxEventClients: 100 });
    await served.set("a");
    await using stack = new AsyncDisposableStack();
    const clients: TestEventSource[] = [];
    for (let index = 0; index < 50; index++)
      clients.push(stack.use(await TestEventSource.open(served.server.url)));
    for (const client of clients) expect(await client.next()).toMatchObject({ event: "state" });
    // For the head and for the tag of the document.
    expect(heads).toBeLessThanOrEqual(3);
    const stringify = vi.spyOn(JSON, "stringify");
    await served.set("a", "only-once");
    for (const client of clients) expect(await client.next()).toMatchObject({ event: "snapshot" });
    const encoded = stringify.mock.results.filter(({ value }) => String(value).includes("only-once"));
    stringify.mockRestore();
    expect(encoded).toHaveLength(1);
  });

  test("a state that is up to a second old is followed by the events since", async () => {
    await using served = await serveHub();
    await served.set("a");
    const { epoch } = served.hub;
    const idsOf = async (count: number) => {
      await using client = await TestEventSource.open(served.server.url);
      return (await client.take(count)).map(({ event, id }) => `${event} ${id}`);
    };
    expect(await idsOf(1)).toEqual([`state ${epoch}:2`]);
    await served.set("b");
    await served.clock.advance(999);
    expect(await idsOf(2)).toEqual([`state ${epoch}:2`, `snapshot ${epoch}:3`]);
    await served.clock.advance(1);
    expect(await idsOf(1)).toEqual([`state ${epoch}:3`]);
  });

  test("a state that the log does not continue any more is not sent", async () => {
    await using served = await serveHub({ retainedEvents: 2 });
    await served.set("a");
    await using first = await TestEventSource.open(served.server.url);
    await first.next();
    for (const id of ["b", "c", "d"]) await served.set(id);
    await using client = await TestEventSource.open(served.server.url);
    expect(await client.next()).toMatchObject({ event: "state", data: { seqNo: 5 } });
  });

  test("/topology is always the newest state, and shares the members with the states of streams", async () => {
    await using served = await serveHub();
    await served.set("a");
    await using _ = await TestEventSource.open(served.server.url);
    const seqNoNow = async () => {
      const document: unknown = await (await fetch(`${served.server.url}/topology`)).json();
      return Reflect.get(Object(document), "seqNo");
    };
    expect(await seqNoNow()).toBe(2);
    await served.set("b");
    expect(await seqNoNow()).toBe(3);
    const members = MemberSet.from(largeMembers().map(createClusterNode));
    const publish = (next: MemberSet) =>
      served.updates.send({
        snapshot: createSnapshot({ providerId: "primary", members: next, observedAt: 0 }),
        isFresh: true,
      });
    publish(members);
    await seqNoNow();
    const before = served.server.readerBytes;
    const stringify = vi.spyOn(JSON, "stringify");
    // One of 3,000 members changes: one of the sections of at most 512 members.
    publish(members.apply({ upsert: [createClusterNode(member("n7"))] }));
    await seqNoNow();
    const longest = Math.max(...stringify.mock.results.map(({ value }) => String(value).length));
    const encoded = stringify.mock.results.reduce((sum, { value }) => sum + String(value).length, 0);
    stringify.mockRestore();
    expect(longest).toBeLessThan(150_000);
    expect(encoded).toBeGreaterThan(100_000);
    expect(encoded).toBeLessThan(before / 4);
  });
});

// R7.4
describe("a client that names the content it has", () => {
  test("gets the state without the members while the hash is the same, also of another run", async () => {
    let hash = "";
    for (const time of [1, 2]) {
      await using served = await serveHub();
      await served.set("a", "b");
      served.hub.block("a");
      const query = time === 1 ? "" : `?have=${hash}`;
      await using client = await TestEventSource.open(served.server.url, {
        path: `/events${query}`,
        lastEventId: "an-earlier-run:7",
      });
      const { data } = stateOf(await client.take(1));
      hash = served.hub.state.snapshot!.hash;
      expect(data).toMatchObject({ hash, memberCount: 2, blockedNodes: ["a"], status: "ready", seqNo: 3 });
      expect("members" in data).toBe(time === 1);
      await served.set("a", "b", "c");
      expect(await client.next()).toMatchObject({ event: "snapshot", data: { previousHash: hash } });
    }
  });

  test("gets the members when the hash is another one, and one after the other gets what it needs", async () => {
    await using served = await serveHub();
    await served.set("a");
    const { hash } = served.hub.state.snapshot!;
    const membersFor = async (have: string) => {
      await using client = await TestEventSource.open(served.server.url, { path: `/events?have=${have}` });
      return (await client.take(1))[0]!.data.members?.length;
    };
    expect([await membersFor(hash), await membersFor("0000000000000000"), await membersFor(hash)]).toEqual([
      undefined,
      1,
      undefined,
    ]);
    const response = await fetch(`${served.server.url}/events?have=a%20b`);
    expect(response.status).toBe(400);
  });
});

// R7.4
describe("where the content comes from", () => {
  test("is sent first, with the next event after a change, and within 5 s without one", async () => {
    let via: readonly string[] = ["upstream-1"];
    await using served = await serveHub({ view: { via: () => via } });
    await served.set("a");
    await using client = await TestEventSource.open(served.server.url);
    const state = (await client.next())!;
    expect(state.data.instance).toBe("this-daemon");
    expect(client.notes).toEqual([{ event: "via", data: ["this-daemon", "upstream-1"] }]);
    via = ["upstream-2", "upstream-3"];
    await served.set("b");
    await client.next();
    via = [];
    await served.clock.advance(5_000);
    await served.set("c");
    await client.next();
    expect(client.notes.slice(1)).toEqual([
      { event: "via", data: ["this-daemon", "upstream-2", "upstream-3"] },
      { event: "via", data: ["this-daemon"] },
    ]);
  });
});

// R7.5
describe("compression", () => {
  test("of a stream: each event can be read when it arrives, and the whole is one gzip member", async () => {
    await using served = await serveHub();
    await served.publish(largeMembers());
    await using compressed = await RawClient.connect(served.server.url);
    compressed.send(GET("/events", "Accept-Encoding: br, gzip"));
    await using plain = await RawClient.connect(served.server.url);
    plain.send(GET("/events"));
    await using fetched = await TestEventSource.open(served.server.url);
    expect(fetched.response.headers.get("content-encoding")).toBe("gzip");
    expect((await fetched.next())!.data.members).toHaveLength(3_000);
    for (const id of ["b", "c"]) {
      await served.set(id);
      expect(await fetched.next()).toMatchObject({ data: { delta: { added: [{ id }] } } });
    }
    served.hub.drain("stopped by the test");
    expect(await fetched.rest()).toHaveLength(1);
    for (const client of [compressed, plain]) await client.until((_, tail) => tail.endsWith("0\r\n\r\n"));
    expect(compressed.text.slice(0, 500)).toContain("content-encoding: gzip");
    const { body, hasEnded } = readChunks(bytesOf(compressed));
    expect(hasEnded).toBe(true);
    // Strict: fails for a wrong checksum, a wrong size, and anything after the member.
    expect(gunzipSync(body).toString()).toBe(readChunks(bytesOf(plain)).body.toString());
    expect(body.byteLength).toBeLessThan(readChunks(bytesOf(plain)).body.byteLength / 4);
  });

  test.each(["/topology", "/topologies/default"])("of %s, once for all", async (path) => {
    await using served = await serveHub();
    await served.publish(largeMembers());
    await using client = await RawClient.connect(served.server.url);
    client.send(GET(path, "Accept-Encoding: gzip"));
    await client.until((text) => Number(/content-length: (\d+)/.exec(text)?.[1]) === bodyOf(text).length);
    expect(client.text).toContain("vary: accept-encoding");
    const plain = await (
      await fetch(served.server.url + path, { headers: { "accept-encoding": "identity" } })
    ).text();
    expect(gunzipSync(Buffer.from(bodyOf(client.text), "latin1")).toString()).toBe(plain);
    const fetched = await (await fetch(served.server.url + path)).text();
    expect(fetched).toBe(plain);
    const head = await fetch(served.server.url + path, { method: "HEAD" });
    expect(head.headers.get("content-encoding")).toBe("gzip");
  });

  test("is read by curl, where there is one", async () => {
    const hasCurl = await run("curl", ["--version"]).then(
      ({ stdout }) => stdout.includes("libz"),
      () => false,
    );
    if (!hasCurl) return;
    await using served = await serveHub({ serverClock: systemClock });
    await served.publish(largeMembers());
    const options = ["--silent", "--show-error", "--fail", "--compressed", "--no-buffer"];
    const topology = await run("curl", [...options, `${served.server.url}/topology`], { maxBuffer: 1e8 });
    expect(JSON.parse(topology.stdout)).toMatchObject({ memberCount: 3_000 });
    const stream = run("curl", [...options, `${served.server.url}/events`], { maxBuffer: 1e8 });
    while (served.server.eventClients === 0) await systemClock.yield();
    await served.set("b");
    served.hub.drain("stopped by the test");
    const { stdout } = await stream;
    const events = stdout.match(/^event: .*$/gm)!;
    expect(events.slice(0, 2)).toEqual(["event: via", "event: state"]);
    expect(events.at(-1)).toBe("event: status_changed");
  });

  test("is not used for an HTTP/1.0 client that does not ask, and has no chunks for one that does", async () => {
    await using served = await serveHub();
    await served.publish(largeMembers());
    await using plain = await RawClient.connect(served.server.url);
    plain.send("GET /events HTTP/1.0\r\n\r\n");
    await using compressed = await RawClient.connect(served.server.url);
    compressed.send("GET /events HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
    await plain.until((_, tail) => tail.endsWith("]}\n\n"));
    await served.set("b");
    served.hub.drain("stopped by the test");
    await Promise.all([plain.closed(), compressed.closed()]);
    for (const { text } of [plain, compressed])
      expect(text.slice(0, text.indexOf("\r\n\r\n")).toLowerCase()).not.toContain("transfer-encoding");
    const text = bodyOf(plain.text);
    expect(text).toMatch(/^retry: 2000\n\nevent: via\n/);
    expect(text.match(/\r/)).toBeNull();
    expect(gunzipSync(Buffer.from(bodyOf(compressed.text), "latin1")).toString()).toBe(text);
  });
});

function lastSeqNo({ text }: RawClient): number {
  return Number(/:(\d+)\nevent: snapshot/.exec(text.slice(text.lastIndexOf("id: ")))?.[1]);
}

function bodyOf(text: string): string {
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

// R7.5 R7.6
describe("many followers", () => {
  test("that receive a large state at the same time share each turn of the event loop", async () => {
    const clock = createCountingClock();
    await using served = await serveHub({ serverClock: clock, maxEventClients: 60 });
    await served.publish(largeMembers());
    await using stack = new AsyncDisposableStack();
    const clients = await Promise.all(
      Array.from({ length: 40 }, async () => stack.use(await RawClient.connect(served.server.url))),
    );
    clock.turns = 0;
    for (const client of clients) client.get("/events");
    await Promise.all(clients.map((client) => client.until((_, tail) => tail.endsWith("]}\n\n\r\n"))));
    const bytes = clients.reduce((sum, { text }) => sum + text.length, 0);
    // A turn may exceed its share by one write.
    expect(bytes / clock.turns).toBeLessThan(STREAM_BYTES_PER_TURN + 131_072 + 65_536);
  });

  test("of whom the last one leaves do not keep the process busy", async () => {
    const clock = createCountingClock();
    await using served = await serveHub({ serverClock: clock });
    await served.set("a");
    for (let round = 0; round < 3; round++) {
      const client = await TestEventSource.open(served.server.url);
      await client.next();
      await client[Symbol.asyncDispose]();
      // Leaves while an event is about to be sent.
      await served.set(`b${round}`);
      while (served.server.eventClients > 0) await systemClock.yield();
    }
    for (let turn = 0; turn < 20; turn++) await systemClock.yield();
    const { turns } = clock;
    for (let turn = 0; turn < 50; turn++) await systemClock.yield();
    expect(clock.turns - turns).toBeLessThanOrEqual(1);
    expect((await fetch(`${served.server.url}/healthz`)).status).toBe(200);
  });

  test("that receive large changes are sent them in pieces, within the memory for readers", async () => {
    await using served = await serveHub({ maxReaderMemoryMb: 10, maxEventClients: 20 });
    await served.set("a");
    await using stack = new AsyncDisposableStack();
    const stalled: RawClient[] = [];
    for (let index = 0; index < 6; index++) {
      const client = stack.use(await RawClient.connect(served.server.url));
      client.get("/events");
      await client.until((text) => text.includes("event: state"));
      client.socket.pause();
      stalled.push(client);
    }
    await using reader = await TestEventSource.open(served.server.url);
    await reader.next();
    for (let generation = 0; generation < 8; generation++) {
      await served.publish(largeMembers(generation));
      const event = (await reader.next())!;
      expect(event).toMatchObject({ event: "snapshot", data: { memberCount: 3_000 } });
      expect(served.server.readerBytes).toBeLessThanOrEqual(10 * 1_048_576);
    }
    // Those that were not disconnected to make room exceed their time.
    await served.clock.advance(WRITE_DEADLINE_MS);
    for (const client of stalled) {
      client.socket.resume();
      await client.closed();
    }
    expect(served.server.eventClients).toBe(1);
  });

  test("of whom one stalls do not wait for it", async () => {
    await using served = await serveHub({ retainedEvents: 1_000 });
    await served.set("a");
    await using stalled = await RawClient.connect(served.server.url);
    stalled.get("/events");
    await stalled.until((text) => text.includes("event: state"));
    stalled.socket.pause();
    await using reader = await TestEventSource.open(served.server.url);
    await reader.next();
    for (let generation = 0; generation < 5; generation++) {
      await served.publish(largeMembers(generation));
      expect(await reader.next()).toMatchObject({ event: "snapshot" });
    }
    // It has not exceeded its time yet. When it reads again it gets everything.
    stalled.socket.resume();
    await served.set("last");
    await stalled.until((_, tail) => tail.endsWith("\n\n\r\n") && lastSeqNo(stalled) === 8);
    const { body } = readChunks(bytesOf(stalled));
    const ids = Array.from(body.toString().matchAll(/^id: .*:(\d+)$/gm), ([, seqNo]) => Number(seqNo));
    expect(ids).toEqual([2, 3, 4, 5, 6, 7, 8]);
  });
});

// R7.6
describe("a follower that sends more requests on its connection", () => {
  test("gets the responses after its stream has ended", async () => {
    const errors = vi.spyOn(console, "error");
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => void rejections.push(reason);
    process.on("unhandledRejection", onRejection);
    await using served = await serveHub();
    await served.set("a");
    await using client = await RawClient.connect(served.server.url);
    client.send([GET("/healthz"), GET("/events"), GET("/readyz"), GET("/events"), GET("/none")].join(""));
    await client.until((text) => text.includes("event: state"));
    client.send(GET("/healthz"));
    await served.set("b");
    await client.until((text) => text.includes("event: snapshot"));
    expect(client.statuses).toEqual([200, 200]);
    served.hub.drain("stopped by the test");
    await client.until((text) => text.split('{"status":"ok"}').length === 3);
    expect(client.statuses).toEqual([200, 200, 503, 503, 404, 200]);
    expect(client.text).toContain("0\r\n\r\nHTTP/1.1 503");
    await systemClock.yield();
    process.off("unhandledRejection", onRejection);
    // For example ERR_HTTP_HEADERS_SENT.
    expect(rejections).toEqual([]);
    expect(errors).not.toHaveBeenCalled();
    errors.mockRestore();
  });

  test("is disconnected when it sends too many", async () => {
    await using served = await serveHub();
    await served.set("a");
    await using client = await RawClient.connect(served.server.url);
    client.send(GET("/events").repeat(100));
    await client.closed();
    await vi.waitFor(() => expect(served.server.eventClients).toBe(0));
    expect((await fetch(`${served.server.url}/healthz`)).status).toBe(200);
  });
});

// R3.5
describe("a server that is closed", () => {
  test("ends its streams after what there is to send", async () => {
    const served: ServedHub = await serveHub();
    await served.set("a");
    await using client = await RawClient.connect(served.server.url);
    client.get("/events");
    await client.until((text) => text.includes("event: state"));
    await served.set("b");
    await served[Symbol.asyncDispose]();
    await client.closed();
    const { body, hasEnded } = readChunks(bytesOf(client));
    expect(hasEnded).toBe(true);
    expect(body.toString()).toContain("event: snapshot");
    expect(served.directory.listeners).toBe(0);
    expect(served.clock.pendingTimers).toBe(0);
  });
});
