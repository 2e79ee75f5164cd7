import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  assertUnpolluted,
  cutInto,
  fuzzRuns,
  mutateBytes,
  outcomeOf,
  type Mutation,
} from "@holdfast/testing";
import { systemClock } from "@holdfast/core";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveHub, type ServedHub } from "../../test/served-hub.ts";
import { formatPosition, parsePosition } from "./event-position.ts";

const SECRET = "canary-7f3a9c-secret";

let served: ServedHub;
let port: number;

beforeAll(async () => {
  served = await serveHub({ serverClock: systemClock, maxEventClients: 5 });
  await served.set("a", "b");
  port = Number(new URL(served.server.url).port);
});
afterAll(() => served[Symbol.asyncDispose]());

/** Sends the parts, half-closes the connection, and returns everything received until the response is complete. */
async function send(parts: readonly Uint8Array[], isHalf = false): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const closed = once(socket, "close").catch(() => undefined);
  socket.on("error", () => undefined);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    // A stream of events does not end by itself.
    if (text.includes("text/event-stream")) socket.destroy();
  });
  await once(socket, "connect");
  for (const part of parts) await write(socket, part);
  if (isHalf) socket.destroy();
  else socket.end();
  await closed;
  return text;
}

async function write(socket: Socket, part: Uint8Array): Promise<void> {
  if (socket.destroyed || part.byteLength === 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.write(part, () => resolve());
  await promise;
}

/** The status of every response in the text. */
function statusesOf(text: string): readonly number[] {
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
}

/** Checks that the server responded in order or not at all, still responds, and keeps nothing of the client. */
async function expectSound(text: string): Promise<void> {
  for (const status of statusesOf(text)) expect(status < 500 || status === 503).toBe(true);
  for (const [, body = ""] of text.matchAll(
    /HTTP\/1\.1 4\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n(\{[^\r]*?\})(?=HTTP\/1\.1 |$)/g,
  ))
    expect(JSON.parse(body)).toMatchObject({ error: { code: expect.stringMatching(/^[A-Z_]+$/) } });
  assertUnpolluted();
  expect((await fetch(`${served.server.url}/healthz`)).status).toBe(200);
}

async function noClientsLeft(): Promise<void> {
  while (served.server.eventClients > 0) await systemClock.yield();
}

const path = fc.oneof(
  fc.constantFrom(
    "/topology",
    "/events",
    "/metrics",
    "/readyz",
    "/healthz",
    "/explain?node=a",
    "/explain?node=__proto__",
    `/explain?node=${"x".repeat(8_000)}`,
    "/explain?node=%",
    "/explain?node=%ff",
    "/explain",
    "/",
    "*",
    "//",
    "/%",
    "/%2e%2e/%00",
    "/events?lastEventId=%",
    "/events?lastEventId=a:1&lastEventId=b:2",
    "/events?have=00ff",
    "/events?have=%00",
    "/events?topology=*",
    "/events?topology=default",
    "/events?topology=default@a/1;00ff&topology=x@b/2",
    "/events?topology=%",
    "/events?topology=__proto__",
    `/events?${"topology=x&".repeat(1_000)}`,
    "/topologies",
    "/topologies/",
    "/topologies/default",
    "/topologies/default/events",
    "/topologies/default/explain?node=a",
    "/topologies/__proto__/events",
    "/topologies/constructor",
    "/topologies/%2e%2e/health/nodes",
    "/topologies/%00",
    "/topologies/default/health/providers/x",
    "/topology?__proto__[polluted]=true&constructor.prototype.polluted=true",
    "http://other.test/topology",
    "http://[",
    "other.test:443",
    `/${"x".repeat(20_000)}`,
    "/topology#x",
    "/\u00ff",
  ),
  fc.webPath().map((text) => `/${text}`),
);
const method = fc.constantFrom(
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "PATCH",
  "PRI",
  "get",
  "",
  "QUERY",
);
const host = fc.constantFrom(
  "127.0.0.1",
  "localhost:1",
  "[::1]",
  "evil.test",
  "",
  "localhost.evil.test",
  "127.0.0.1:99999999",
  "a b",
  "\u00ff",
);
const header = fc.tuple(
  fc.constantFrom(
    "Last-Event-ID",
    "If-None-Match",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Upgrade",
    "Expect",
    "Accept",
    "Accept-Encoding",
    "Cookie",
    "X-Forwarded-Host",
    "Range",
    "Host",
    "__proto__",
    "constructor",
    "",
    "a b",
  ),
  fc.oneof(
    fc.constantFrom(
      "0",
      "-1",
      "99999999999999999999",
      "chunked",
      "chunked, chunked",
      "gzip",
      "close",
      "Upgrade",
      "websocket",
      "h2c",
      "100-continue",
      "*",
      'W/"x", "y",,',
      "x".repeat(20_000),
      "epoch:17",
      "epoch:-1",
      "epoch:9007199254740993",
      ":",
      SECRET,
    ),
    fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[\r\n]/g, "")),
  ),
);
const request = fc
  .record({
    method,
    path,
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", ""),
    host: fc.option(host, { freq: 6 }),
    headers: fc.array(header, { maxLength: 4 }),
    body: fc.constantFrom("", "", "x", "5\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "{}"),
  })
  .map(({ method: verb, path: target, version, host: name, headers, body }) =>
    Buffer.from(
      `${verb} ${target} ${version}\r\n` +
        (name === null ? "" : `Host: ${name}\r\n`) +
        `${headers.map(([key, value]) => `${key}: ${value}\r\n`).join("")}\r\n${body}`,
      "latin1",
    ),
  );
type Sent = [requests: Buffer[], mutations: Mutation[], cuts: number[], isHalf: boolean];

/** Fixed requests, so that every kind of response occurs. */
const KNOWN: Sent[] = ["GET /topology", "GET /events?lastEventId=%", "GET /none", "PUT /topology", "GET"].map(
  (line) => [[Buffer.from(`${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`)], [], [], false],
);

const mutation = fc.record({ place: fc.nat(30_000), choice: fc.nat(10_000) });

describe("the server", () => {
  test("responds to arbitrary requests, however they are split and pipelined, according to HTTP", async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 4 }),
        fc.array(mutation, { maxLength: 3 }),
        fc.array(fc.nat(2_000), { maxLength: 3 }),
        fc.boolean(),
        async (requests, mutations, cuts, isHalf) => {
          const bytes = mutateBytes(Buffer.concat(requests), mutations);
          const text = await send(cutInto(bytes, cuts), isHalf);
          for (const status of statusesOf(text)) seen.add(status);
          await expectSound(text);
        },
      ),
      {
        numRuns: fuzzRuns(300),
        examples: KNOWN,
      },
    );
    await noClientsLeft();
    // Not all requests were refused.
    expect([...seen]).toEqual(expect.arrayContaining([200, 400, 404, 405]));
  });

  test("responds with 400 or 431 to malformed requests and to endless headers", async () => {
    const head = "GET /topology HTTP/1.1\r\nHost: localhost\r\n";
    for (const [text, statuses] of [
      ["\u0000\u0001\u0002\r\n\r\n", [400]],
      ["GET\r\n\r\n", [400]],
      [`${head}X: ${"x".repeat(100_000)}\r\n\r\n`, [431]],
      [`${head}${"X: y\r\n".repeat(50_000)}\r\n`, [431]],
      [`GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, [431]],
      [`${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, [400]],
      [`${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, [400]],
    ] as const) {
      const answer = await send([Buffer.from(text, "latin1")]);
      expect(statusesOf(answer)).toEqual(statuses);
      await expectSound(answer);
    }
  });

  test("limits the followers of events, also when they share one connection", async () => {
    const one = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    await expectSound(await send([Buffer.from(one.repeat(1_000))]));
    await noClientsLeft();
  });

  test("answers a few pipelined requests in order, and closes the connection for more", async () => {
    const paths = ["/healthz", "/none", "/topology", "/explain", "/metrics", "/readyz", "/healthz", "/none"];
    const lines = paths.map((one) => `GET ${one} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const text = await send([Buffer.from(lines.join(""))]);
    expect(statusesOf(text)).toEqual([200, 404, 200, 400, 200, 200, 200, 404]);
    await expectSound(await send([Buffer.from(lines[0]!.repeat(3_000))]));
  });

  test("does not buffer a body that it does not read", async () => {
    const head = `POST /topology HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n`;
    const text = await send([Buffer.from(head), Buffer.alloc(1_000_000)], true);
    expect(statusesOf(text).every((status) => status === 405)).toBe(true);
    await expectSound(text);
  });
});

describe("the id of a last event", () => {
  test("is a position that formats to the same text, nothing, or refused without quoting it", async () => {
    const id = fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc
        .tuple(fc.string({ maxLength: 70 }), fc.oneof(fc.integer(), fc.double(), fc.bigInt()))
        .map(([epoch, seqNo]) => `${epoch}:${seqNo}`),
      fc
        .tuple(fc.stringMatching(/^[a-z0-9-]{1,64}$/), fc.maxSafeNat())
        .map(([epoch, seqNo]) => `${epoch}:${seqNo}`),
      fc.constant(`${SECRET}:x`),
    );
    await fc.assert(
      fc.asyncProperty(id, async (text) => {
        const outcome = await outcomeOf(() => parsePosition(text));
        if ("error" in outcome) {
          expect(outcome.error.code).toBe("VALIDATION_MALFORMED");
          expect(JSON.stringify(outcome.error)).not.toContain(SECRET);
        } else if (outcome.value !== undefined) expect(formatPosition(outcome.value)).toBe(text);
        else expect(text).toBe("");
      }),
      { numRuns: fuzzRuns(1_000) },
    );
    const long = `${"a".repeat(1_000_000)}:1`;
    expect(await outcomeOf(() => parsePosition(long))).toHaveProperty("error");
  });
});
