import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { VirtualClock } from "@holdfast/testing";
import { isProvisioningError, systemClock, type ProvisioningError } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConsulClient } from "./consul-client.ts";
import { createTestClient } from "../../test/create-test-client.ts";
import { FakeConsul } from "../../test/fake-consul.ts";

const { signal } = new AbortController();
const LIFE = { path: "/v1/health/service/web", withinMs: 10_000, signal };

/** A server that forwards to the fake server. */
async function forward(url: string, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(url);
  const answer = await fetch(`${fake.address}${pathname}${search}`);
  response.writeHead(answer.status, { "content-type": "application/json", "x-consul-index": "5" });
  response.end(await answer.text());
}

let fake: FakeConsul;
const open: (Disposable | AsyncDisposable)[] = [];

beforeEach(async () => {
  fake = await FakeConsul.listen();
  open.push(fake);
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed())
    if (Symbol.asyncDispose in each) await each[Symbol.asyncDispose]();
    else each[Symbol.dispose]();
});

function createClient(params: object = {}, env?: Readonly<Record<string, string>>): ConsulClient {
  return createTestClient({ params: { addresses: [fake.address], ...params }, env, open });
}

async function failureOf(work: Promise<unknown>): Promise<ProvisioningError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isProvisioningError(error)) return error;
  throw new Error("it did not fail with one of our errors");
}

/** A server that responds to the first request of a connection, and closes the connection at the second one. */
async function listenOnce(): Promise<{ readonly address: string; readonly served: () => number }> {
  let served = 0;
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    let isSecond = false;
    socket.on("data", () => {
      if (isSecond) return socket.resetAndDestroy();
      isSecond = true;
      served++;
      const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-consul-index: 5\r\n";
      return socket.write(`${head}content-length: 2\r\n\r\n[]`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, served: () => served };
}

/** A server without a leader: it reports that at once, and delays reads. */
async function leaderless(): Promise<FakeConsul> {
  const other = await FakeConsul.listen();
  open.push(other);
  other.handler = (request, response) => {
    if (request.url !== "/v1/status/leader") return;
    response.writeHead(200, { "content-type": "application/json" }).end('""');
  };
  return other;
}

/** A proxy that forwards requests and tunnels to the fake server, or rejects them with a status. */
async function listenAsProxy(status?: number): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = [];
  const { port: target } = new URL(fake.address);
  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (status !== undefined) return void response.writeHead(status).end();
    return void forward(request.url ?? "", response);
  });
  server.on("connect", (request, socket: Socket) => {
    seen.push(`CONNECT ${request.url}`);
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const upstream = connect(Number(target), "127.0.0.1");
    return void socket.pipe(upstream).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  });
  return { url: `http://user:b1gs33cr3t@127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

describe("a kept connection that the server closes at the moment it is used again", () => {
  // E4
  test("is replaced by a new one without an error, for reads with GET and with POST", async () => {
    const { address, served } = await listenOnce();
    const client = createClient({ addresses: [address] });
    for (let i = 1; i <= 3; i++) {
      expect((await client.send(i === 3 ? { ...LIFE, body: [] } : LIFE)).body.toString()).toBe("[]");
      expect(served()).toBe(i);
      // The connection is kept after the response has been read.
      await systemClock.yield();
    }
  });

  test("is replaced only once: it is an error when the new connection is closed, too", async () => {
    const server = createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    open.push({ [Symbol.dispose]: () => void server.close() });
    const { port } = server.address() as AddressInfo;
    const address = `http://127.0.0.1:${port}`;
    expect(await failureOf(createClient({ addresses: [address] }).send(LIFE))).toMatchObject({
      code: "STREAM_FAILED",
      details: { address },
    });
  });
});

test("requests share a kept connection, and bypass caches", async () => {
  const client = createClient();
  const caching: unknown[] = [];
  const ports = new Set<unknown>();
  fake.handler = ({ headers, socket }, _, next) => {
    caching.push(headers["cache-control"]);
    ports.add(socket.remotePort);
    next();
  };
  for (let i = 0; i < 3; i++) {
    await client.send(LIFE);
    // The connection is kept after the response has been read.
    await systemClock.yield();
  }
  expect(caching).toEqual(["no-cache", "no-cache", "no-cache"]);
  expect(ports.size).toBe(1);
});

describe("the token", () => {
  // E1 R1.6
  test.each(["with\nbreak", "nul\u0000", "b1gs33cr3t\u0416"])(
    "that cannot be sent in a header is an error that names its source and does not quote it: %j",
    async (value) => {
      using folder = new TemporaryFolder();
      const file = folder.at("token");
      writeFileSync(file, value);
      const error = await failureOf(createClient({ token: { file } }).send(LIFE));
      expect(error).toMatchObject({
        code: "CONNECTIVITY_SECRET_UNAVAILABLE",
        message: expect.stringContaining(file) as string,
      });
      expect(JSON.stringify([error, error.message, String(error.cause)])).not.toContain("b1gs33cr3t");
      expect(fake.requests).toEqual([]);
    },
  );

  // H3
  test("that was rotated while the server rejected it is read again and sent once more", async () => {
    using folder = new TemporaryFolder();
    const file = folder.at("token");
    writeFileSync(file, "old");
    fake.handler = (request, response, next) => {
      if (request.headers["x-consul-token"] === "new") return next();
      writeFileSync(file, "new");
      return response.writeHead(403).end("ACL not found");
    };
    await createClient({ token: { file } }).send(LIFE);
    expect(fake.tokens).toEqual(["old", "new"]);
  });

  // H3
  test("that is rotated after a rejection is detected after about a second", async () => {
    using folder = new TemporaryFolder();
    const file = folder.at("token");
    writeFileSync(file, "old");
    const clock = new VirtualClock();
    const params = { addresses: [fake.address], token: { file } };
    const client = createTestClient({ params, clock, env: {}, open });
    await client.send(LIFE);
    let isRenewed = false;
    const stop = new AbortController();
    const renewed = client.untilRenewed(stop.signal).then(() => (isRenewed = true));
    const looks = async () => {
      await clock.advance(1_000);
      for (let i = 0; i < 50 && clock.pendingTimers === 0 && !isRenewed; i++) await systemClock.yield();
    };
    for (let i = 0; i < 3; i++) await looks();
    expect(isRenewed).toBe(false);
    writeFileSync(file, "new");
    while (!isRenewed) await looks();
    await renewed;
    const again = client.untilRenewed(stop.signal);
    stop.abort();
    await expect(again).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });

  test("that is rejected and has not changed is an error at once, with address and status", async () => {
    using folder = new TemporaryFolder();
    const file = folder.at("token");
    writeFileSync(file, "old");
    fake.handler = (_, response) => response.writeHead(403).end("ACL not found");
    expect(await failureOf(createClient({ token: { file } }).send(LIFE))).toMatchObject({
      code: "CONNECTIVITY_UNKNOWN_TOKEN",
      details: { address: fake.address, status: 403 },
    });
    expect(fake.tokens).toEqual(["old"]);
  });
});

describe("several addresses", () => {
  // H8
  test("without a leader lead to CONNECTIVITY_NO_LEADER, not to a timeout, with the failure of each", async () => {
    const others = [await leaderless(), await leaderless()];
    const addresses = others.map(({ address }) => address);
    const error = await failureOf(createClient({ addresses }).sendToAny({ ...LIFE, leaderCheckAfterMs: 10 }));
    expect(error).toMatchObject({
      code: "CONNECTIVITY_NO_LEADER",
      details: { addresses: addresses.map((address) => ({ address, code: "CONNECTIVITY_NO_LEADER" })) },
    });
  });

  test("of which one has no leader: the next one is used", async () => {
    const { address } = await leaderless();
    const client = createClient({ addresses: [address, fake.address] });
    const request = { ...LIFE, leaderCheckAfterMs: 10 };
    expect((await client.sendToAny(request)).address).toBe(fake.address);
    client.prefer(address);
    expect((await failureOf(client.send(request))).code).toBe("CONNECTIVITY_NO_LEADER");
  });

  test("the client waits for a slow server that has a leader", async () => {
    const client = createClient();
    fake.handler = (request, response, next) => {
      if (request.url === "/v1/status/leader") {
        next();
        fake.handler = undefined;
        fake.set(fake.entries);
      } else {
        response.on("close", () => undefined);
        held.push(next);
      }
    };
    const held: (() => void)[] = [];
    const answer = client.send({ ...LIFE, leaderCheckAfterMs: 5 });
    while (fake.handler !== undefined) await systemClock.yield();
    for (const next of held) next();
    expect((await answer).address).toBe(fake.address);
  });

  test("no timer remains after a request", async () => {
    const clock = new VirtualClock();
    const client = createTestClient({ params: { addresses: [fake.address] }, clock, env: {}, open });
    await client.send({ ...LIFE, leaderCheckAfterMs: 1_000 });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a proxy from the environment", () => {
  // A8
  test("is used for other machines, but not for this one and those that NO_PROXY lists", async () => {
    const { url, seen } = await listenAsProxy();
    const addresses = ["http://consul.test:8500"];
    const answer = await createClient({ addresses }, { HTTP_PROXY: url }).send(LIFE);
    expect(answer.address).toBe("http://consul.test:8500");
    expect(seen).toEqual(["GET http://consul.test:8500/v1/health/service/web"]);
    await createClient({}, { HTTP_PROXY: url }).send(LIFE);
    const direct = createClient({ addresses }, { HTTP_PROXY: url, NO_PROXY: ".test" });
    expect((await failureOf(direct.send(LIFE))).code).toBe("CONNECTIVITY_REFUSED");
    expect(seen).toHaveLength(1);
  });

  test("comes from the environment of this process by default", async () => {
    const { url, seen } = await listenAsProxy();
    const before = process.env["HTTP_PROXY"];
    process.env["HTTP_PROXY"] = url;
    try {
      await createClient({ addresses: ["http://consul.test:8500"] }).send(LIFE);
    } finally {
      if (before === undefined) delete process.env["HTTP_PROXY"];
      else process.env["HTTP_PROXY"] = before;
    }
    expect(seen).toHaveLength(1);
  });

  test.each(["http", "https"])(
    "that responds to %s with 407 is named, without its password",
    async (scheme) => {
      const { url } = await listenAsProxy(407);
      const addresses = [`${scheme}://consul.test:8500`];
      const error = await failureOf(
        createClient({ addresses }, { HTTP_PROXY: url, HTTPS_PROXY: url }).send(LIFE),
      );
      expect(error).toMatchObject({
        code: "CONNECTIVITY_UNAUTHORIZED",
        details: { address: addresses[0], proxy: new URL(url).host, proxyStatus: 407 },
      });
      expect(error.message).toContain("the proxy");
      expect(JSON.stringify([error, error.message, String(error.cause)])).not.toContain("b1gs33cr3t");
    },
  );

  test("that is not an http URL leads to an error that does not quote it", async () => {
    const client = createClient(
      { addresses: ["http://consul.test"] },
      { HTTP_PROXY: "socks5://b1gs33cr3t@x" },
    );
    const error = await failureOf(client.send(LIFE));
    expect(error).toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      message: expect.stringContaining("HTTP_PROXY") as string,
    });
    expect(JSON.stringify(error)).not.toContain("b1gs33cr3t");
  });
});

// R5.5
test("the error for a response that is too long, not JSON or incomplete has the address and status", async () => {
  const { address } = fake;
  const json = { "content-type": "application/json" };
  fake.handler = (_, response) => response.writeHead(200, json).end("x".repeat(2_000));
  expect(await failureOf(createClient({ maxBytes: 1_024 }).send(LIFE))).toMatchObject({
    code: "STREAM_INVALID_DATA",
    details: { address, status: 200, maxBytes: 1_024 },
  });
  fake.handler = (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>");
  expect(await failureOf(createClient().send(LIFE))).toMatchObject({ details: { address, status: 200 } });
});
