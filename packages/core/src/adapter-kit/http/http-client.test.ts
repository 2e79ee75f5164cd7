import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createDeadline, type Deadline } from "../../time/deadline.ts";
import { ProvisioningError } from "../../errors/provisioning-error.ts";
import { systemClock } from "../../time/system-clock.ts";
import { HttpClient, type HttpRequest } from "./http-client.ts";

const { signal } = new AbortController();
const open: Disposable[] = [];

afterEach(() => {
  for (const each of open.splice(0).toReversed()) each[Symbol.dispose]();
});

async function listen(server: Server): Promise<URL> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const serve = (listener: RequestListener): Promise<URL> => listen(createServer(listener));

/** A server that sends these bytes on every connection and closes it with FIN. */
const answer = (text: string): Promise<URL> =>
  listen(createTcpServer((socket) => socket.once("data", () => socket.end(text))));

function createClient(): HttpClient {
  const client = new HttpClient({ clock: systemClock });
  open.push(client);
  return client;
}

const requestTo = (url: URL, more: Partial<HttpRequest> = {}): HttpRequest => ({
  url,
  headers: { accept: "application/json" },
  peer: { name: `the server ${url.host}`, details: { address: url.host } },
  signal,
  ...more,
});

const late = (): ProvisioningError => new ProvisioningError("CONNECTIVITY_TIMEOUT", "late");

const within = (): Deadline => createDeadline({ clock: systemClock, signal, afterMs: 50, error: late });

describe("HttpClient", () => {
  test("returns status, headers and body, and keeps the connection for the next request", async () => {
    const ports = new Set<unknown>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.writeHead(200, { "content-type": "application/json", "x-index": "7" }).end("[1]");
    });
    const client = createClient();
    for (let i = 0; i < 3; i++) {
      using response = await client.send(requestTo(url));
      response.assertJson();
      expect([response.status, response.headers["x-index"]]).toEqual([200, "7"]);
      expect((await response.read({ maxBytes: 3 })).toString()).toBe("[1]");
      // The connection is kept after the response has been read.
      await systemClock.yield();
    }
    expect(ports.size).toBe(1);
  });

  test("sends a payload by POST, and a header with several values once for each", async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (body) => {
        seen.push(
          request.method,
          request.rawHeaders.filter((_, i, all) => all[i - 1] === "group"),
          body,
        );
        response.end();
      });
    });
    using _ = await createClient().send(requestTo(url, { payload: "[]", headers: { group: ["a", "b"] } }));
    expect(seen).toEqual(["POST", ["a", "b"], "[]"]);
  });

  test("sends a payload by PATCH when it is asked to", async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      seen.push(request.method);
      request.resume().on("end", () => response.end());
    });
    using _ = await createClient().send(requestTo(url, { payload: "{}", method: "PATCH" }));
    expect(seen).toEqual(["PATCH"]);
  });

  test("reports the delay that the server asks for", async () => {
    const url = await serve((_, response) =>
      response.writeHead(503, { "retry-after": "7" }).end("busy, busy"),
    );
    using response = await createClient().send(requestTo(url));
    expect([response.status, response.retryAfterMs]).toEqual([503, 7_000]);
    expect(await response.readStart(4)).toBe("busy");
  });

  test("rejects a body that is too long or not JSON, with address and status", async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("x".repeat(9)),
    );
    using response = await createClient().send(requestTo(url));
    const details = { address: url.host, status: 200 };
    const isNotJson = { code: "STREAM_INVALID_DATA", details };
    expect(() => response.assertJson()).toThrow(expect.objectContaining(isNotJson));
    await expect(response.read({ maxBytes: 8 })).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      details: { ...details, maxBytes: 8 },
    });
  });

  test.each([
    ["a length", "content-length: 9\r\n\r\n[1"],
    ["chunks", "transfer-encoding: chunked\r\n\r\n2\r\n[1\r\n"],
  ])("a body with %s that is cut off is STREAM_FAILED, read whole or as it arrives", async (_, rest) => {
    const url = await answer(`HTTP/1.1 200 OK\r\n${rest}`);
    const expected = { code: "STREAM_FAILED", details: { address: url.host } };
    using whole = await createClient().send(requestTo(url));
    await expect(whole.read({ maxBytes: 100 })).rejects.toMatchObject(expected);
    using streamed = await createClient().send(requestTo(url));
    const chunks: string[] = [];
    const reading = (async () => {
      for await (const chunk of streamed.chunks()) chunks.push(Buffer.from(chunk).toString());
    })();
    await expect(reading).rejects.toMatchObject(expected);
    expect(chunks).toEqual(["[1"]);
  });

  test("yields the body as it arrives, and closes the connection when the reader stops", async () => {
    const closed = Promise.withResolvers<void>();
    const url = await serve((_, response) => {
      response.on("close", closed.resolve);
      response.write("first");
    });
    using response = await createClient().send(requestTo(url));
    for await (const chunk of response.chunks()) {
      expect(Buffer.from(chunk).toString()).toBe("first");
      break;
    }
    await closed.promise;
  });

  test("a deadline ends the wait for the headers, and the reading of the body, with its own error", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/body") response.write("x");
    });
    using first = within();
    await expect(createClient().send(requestTo(url, { signal: first.signal }))).rejects.toMatchObject({
      code: "CONNECTIVITY_TIMEOUT",
    });
    using second = within();
    using response = await createClient().send(requestTo(new URL("/body", url), { signal: second.signal }));
    await expect(response.read({ maxBytes: 9 })).rejects.toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
  });

  test("names a server that refuses connections or does not use HTTP", async () => {
    const refused = new URL("http://127.0.0.1:1");
    await expect(createClient().send(requestTo(refused))).rejects.toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      message: expect.stringContaining("the server 127.0.0.1:1 refused the connection") as string,
      details: { address: "127.0.0.1:1" },
    });
    await expect(createClient().send(requestTo(await answer("SSH-2.0-x\r\n")))).rejects.toMatchObject({
      code: "STREAM_FAILED",
    });
  });

  // E4
  test("repeats a request once when its kept connection closes at the moment it is used", async () => {
    let connections = 0;
    const url = await listen(
      createTcpServer((socket) => {
        connections++;
        let requests = 0;
        socket.on("data", () => {
          if (++requests > 1) socket.resetAndDestroy();
          else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]");
        });
      }),
    );
    const client = createClient();
    for (let i = 1; i <= 3; i++) {
      using response = await client.send(requestTo(url));
      await response.read({ maxBytes: 2 });
      expect(connections).toBe(i);
      await systemClock.yield();
    }
  });

  test("closes every connection on disposal, and opens none afterwards", async () => {
    const url = await serve((_, response) => response.end());
    const client = createClient();
    using response = await client.send(requestTo(url));
    await response.read({ maxBytes: 1 });
    client[Symbol.dispose]();
    const other = { url: "http://127.0.0.1:1", source: "a test" };
    await expect(client.send(requestTo(url, { proxy: other }))).rejects.toMatchObject({
      code: "LIFECYCLE_STOPPED",
    });
  });
});
