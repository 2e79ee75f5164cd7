import { describe, expect, test, vi } from "vitest";
import { RawClient } from "../../test/raw-client.ts";
import { member, serveHub, type ServedHub } from "../../test/served-hub.ts";
import { LARGE_RESPONSE_FAIR_MS, MAX_LARGE_RESPONSES, WRITE_DEADLINE_MS } from "./server-limits.ts";

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** Publishes members whose text does not fit into the buffers of a connection. */
async function publishLarge(served: ServedHub, generation = 0): Promise<void> {
  const metadata = { generation: String(generation), text: "x".repeat(8_000) };
  await served.publish(Array.from({ length: 1_500 }, (_, index) => ({ ...member(`n${index}`), metadata })));
}

/** A client that has requested a large document and reads none of it. */
async function openStalled(served: ServedHub, path: string): Promise<RawClient> {
  const client = await RawClient.connect(served.server.url);
  client.get(path);
  await client.until((text) => text.includes("200 OK"));
  client.socket.pause();
  return client;
}

const statusOf = async (served: ServedHub, path: string) => {
  const response = await fetch(`${served.server.url}${path}`, { headers: { connection: "close" } });
  await response.text();
  return response.status;
};

// R7.5 R7.6
describe("pipelined requests", () => {
  test("are handled one at a time, in order", async () => {
    let running = 0;
    let most = 0;
    const metrics = async () => {
      most = Math.max(most, ++running);
      await served.clock.yield();
      running--;
      return { contentType: "text/plain", text: "x\n" };
    };
    await using served = await serveHub({ metrics });
    await using client = await RawClient.connect(served.server.url);
    client.send([GET("/metrics"), GET("/none"), GET("/metrics"), GET("/topology"), GET("/healthz")].join(""));
    await client.until((text) => text.endsWith('{"status":"ok"}'));
    expect(client.statuses).toEqual([200, 404, 200, 200, 200]);
    expect(most).toBe(1);
  });

  test("in their thousands close the connection, are not all parsed, and cause no errors", async () => {
    const errors = vi.spyOn(console, "error");
    await using served = await serveHub();
    await served.set("a");
    let handled = 0;
    const { state } = served.hub;
    vi.spyOn(served.view, "providers").mockImplementation(() => (handled++, []));
    await using client = await RawClient.connect(served.server.url);
    client.send(GET("/topology").repeat(2_000));
    await client.closed();
    expect(handled).toBeLessThan(10);
    expect(await statusOf(served, "/readyz")).toBe(200);
    // No errors such as ERR_HTTP_HEADERS_SENT.
    expect(errors).not.toHaveBeenCalled();
    expect(served.hub.state).toEqual(state);
  });
});

describe("a client that does not read", () => {
  test.each(["/topology", "/events"])("%s is disconnected at the write deadline", async (path) => {
    await using served = await serveHub();
    await publishLarge(served);
    await using client = await openStalled(served, path);
    await served.clock.advance(WRITE_DEADLINE_MS - 1);
    expect(client.socket.destroyed).toBe(false);
    await served.clock.advance(1);
    client.socket.resume();
    await client.closed();
    expect(client.text).not.toContain("n1499");
    await vi.waitFor(() => expect(served.server.eventClients).toBe(0));
  });

  test("keeps no more than the budget in memory, however many versions are requested, without affecting a reader of the newest", async () => {
    await using served = await serveHub({ maxReaderMemoryMb: 30, maxEventClients: 20 });
    await using stack = new AsyncDisposableStack();
    const stalled: RawClient[] = [];
    // Each version is about 12 MB; all of them together are 72 MB.
    for (let generation = 0; generation < 6; generation++) {
      await publishLarge(served, generation);
      stalled.push(stack.use(await openStalled(served, generation % 2 === 0 ? "/topology" : "/events")));
    }
    expect(served.server.readerBytes).toBeLessThanOrEqual(30 * 1_048_576);
    const response = await fetch(`${served.server.url}/topology`);
    expect(await response.json()).toMatchObject({ memberCount: 1_500, seqNo: served.hub.state.seqNo });
    for (const client of stalled.slice(0, 4)) {
      client.socket.resume();
      await client.closed();
    }
  });
});

describe("large responses", () => {
  test("beyond the limit get 503 with Retry-After, until one ends or exceeds its fair time", async () => {
    await using served = await serveHub({ maxConnections: MAX_LARGE_RESPONSES + 50 });
    await publishLarge(served);
    await using stack = new AsyncDisposableStack();
    const stalled: RawClient[] = [];
    for (let index = 0; index < MAX_LARGE_RESPONSES; index++)
      stalled.push(stack.use(await openStalled(served, "/topology")));
    const refused = await fetch(`${served.server.url}/topology`);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await refused.json()).toMatchObject({ error: { code: "HTTP_OVERLOADED" } });
    for (const path of ["/metrics", "/health/nodes", "/explain?node=n1"])
      expect([path, await statusOf(served, path)]).toEqual([path, 503]);
    for (const path of ["/readyz", "/healthz", "/health/providers"])
      expect([path, await statusOf(served, path)]).toEqual([path, 200]);

    await served.clock.advance(LARGE_RESPONSE_FAIR_MS);
    expect(await statusOf(served, "/topology")).toBe(200);
    stalled[0]!.socket.resume();
    await stalled[0]!.closed();
  });

  test("share one collection of metrics", async () => {
    let collected = 0;
    const metrics = async () => ({ contentType: "text/plain", text: `n ${++collected}\n` });
    await using served = await serveHub({ metrics });
    const get = async () => (await fetch(`${served.server.url}/metrics`)).text();
    expect(new Set(await Promise.all([get(), get(), get()]))).toEqual(new Set(["n 1\n"]));
    await served.clock.advance(250);
    expect(await get()).toBe("n 2\n");
  });
});

describe("connections", () => {
  test("beyond the limit close the one that has been idle for longest, and health checks are answered", async () => {
    await using served = await serveHub({ maxConnections: 5, maxEventClients: 2 });
    await served.set("a");
    await using follower = await RawClient.connect(served.server.url);
    follower.get("/events");
    await follower.until((text) => text.includes("event: state"));
    await using stack = new AsyncDisposableStack();
    const idle: RawClient[] = [];
    for (let index = 0; index < 30; index++) idle.push(stack.use(await RawClient.connect(served.server.url)));
    expect(await statusOf(served, "/readyz")).toBe(200);
    await Promise.all(idle.slice(0, 25).map((client) => client.closed()));
    await served.set("b");
    await follower.until((text) => text.includes("event: snapshot"));
  });

  test("leave descriptors for the providers when there are few", async () => {
    await using served = await serveHub({ descriptors: 64 });
    await using stack = new AsyncDisposableStack();
    const idle: RawClient[] = [];
    for (let index = 0; index < 40; index++) idle.push(stack.use(await RawClient.connect(served.server.url)));
    await Promise.all(idle.slice(0, 24).map((client) => client.closed()));
    expect(await statusOf(served, "/healthz")).toBe(200);
  });
});

describe("an HTTP/1.0 client", () => {
  test.each(["/topology", "/metrics", "/health/nodes", "/readyz", "/explain?node=a"])(
    "receives %s without chunks, ended by the end of the connection",
    async (path) => {
      await using served = await serveHub();
      await served.set("a");
      await using client = await RawClient.connect(served.server.url);
      client.get(path, "1.0");
      await client.closed();
      const [head, body] = client.text.split("\r\n\r\n");
      expect(head).toMatch(/^HTTP\/1\.1 200 /);
      expect(head!.toLowerCase()).not.toContain("transfer-encoding");
      expect(body).toBe(await (await fetch(`${served.server.url}${path}`)).text());
    },
  );

  test("receives events without chunks, and may omit the Host header", async () => {
    await using served = await serveHub();
    await served.set("a");
    await using client = await RawClient.connect(served.server.url);
    client.send("GET /events HTTP/1.0\r\n\r\n");
    await client.until((text) => text.endsWith("]}\n\n"));
    const [head, body] = client.text.split("\r\n\r\n");
    expect(head!.toLowerCase()).not.toContain("transfer-encoding");
    expect(body).toMatch(/^retry: 2000\n\nevent: via\ndata: \["[^"]+"\]\n\nid: /);
  });
});
