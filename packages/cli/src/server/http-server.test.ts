import { lookup } from "node:dns/promises";
import { request } from "node:http";
import { hostname } from "node:os";
import { systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { RawClient } from "../../test/raw-client.ts";
import { member, serveHub } from "../../test/served-hub.ts";
import { isLoopbackAddress } from "./host-check.ts";
import { HttpServer } from "./http-server.ts";

async function getJson(url: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}

/** fetch does not let a test choose the Host header. */
async function getWithHost(url: string, host: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request(url, { headers: { host } }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on("error", reject)
    .end();
  return promise;
}

describe("/healthz and /readyz", () => {
  test("report why the service is not ready, and that the process is running", async () => {
    await using served = await serveHub();
    const { url } = served.server;
    const expectReady = async (status: number, body: object) =>
      expect(await getJson(`${url}/readyz`)).toMatchObject({ status, body });
    const healthy = { status: 200, body: { status: "ok" } };

    // R2.4: an empty topology is not ready. R3.5: a draining one is not ready.
    await expectReady(503, { status: "starting", reason: "no snapshot has been received yet" });
    expect(await getJson(`${url}/healthz`)).toEqual(healthy);
    await served.set();
    await expectReady(503, { status: "empty", reason: '"primary" reports no members' });
    await served.set("a");
    await expectReady(200, { status: "ready", reason: '"primary" is current' });
    served.hub.drain("stopped by the test");
    await expectReady(503, { status: "draining", reason: "stopped by the test" });
    expect(await getJson(`${url}/healthz`)).toEqual(healthy);
  });

  test("are not ready when no provider can serve", async () => {
    await using served = await serveHub();
    await served.set("a");
    served.updates.send({ availability: "unavailable", reason: "no provider can serve" });
    // R5.3
    const fields = { status: "unavailable", reason: "no provider can serve" };
    expect(await getJson(`${served.server.url}/readyz`)).toEqual({
      status: 503,
      body: {
        ...fields,
        isReady: false,
        isComplete: true,
        notReadyCount: 1,
        notReady: [{ name: "default", isRequired: true, ...fields }],
      },
    });
  });
});

describe("/topology", () => {
  test("contains the whole state", async () => {
    const report = { providerId: "primary", health: "healthy", isActive: true, errors: 0 } as const;
    await using served = await serveHub({
      view: {
        providers: () => [{ ...report, kind: "memory", priority: 100, lastUpdateAt: 17 }],
        remoteNodes: () => [
          { nodeId: "a", state: "up", lastUpdateAt: 1 },
          { nodeId: "b", state: "down", lastUpdateAt: 2 },
        ],
      },
    });
    await served.set("b", "a");
    served.hub.block("b");
    const { state } = served.hub;
    // R4.5: the health of providers and of the remote nodes that are not up, each with its last update.
    expect((await getJson(`${served.server.url}/topology`)).body).toEqual({
      instance: "this-daemon",
      epoch: state.epoch,
      seqNo: 3,
      status: "ready",
      reason: '"primary" is current',
      isStale: false,
      providerId: "primary",
      hash: state.snapshot!.hash,
      observedAt: state.snapshot!.observedAt,
      revision: "1",
      blockedNodes: ["b"],
      holds: [],
      restoringNodes: [],
      providers: [{ ...report, kind: "memory", priority: 100, lastUpdateAt: 17 }],
      remoteNodes: [{ nodeId: "b", state: "down", lastUpdateAt: 2 }],
      memberCount: 2,
      members: ["a", "b"].map((id) => ({ ...member(id), tags: [], metadata: {} })),
    });
  });

  test("is available before the first snapshot", async () => {
    await using served = await serveHub();
    const { status, body } = await getJson(`${served.server.url}/topology`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ seqNo: 0, status: "starting", hash: null, providerId: null, members: [] });
  });

  test("responds with 304 until the next event", async () => {
    await using served = await serveHub();
    await served.set("a");
    const get = (etag: string) =>
      fetch(`${served.server.url}/topology`, { headers: { "if-none-match": etag } });
    const etag = (await get('"other"')).headers.get("etag")!;
    expect(etag).toContain(`${served.hub.epoch}:2:`);
    expect((await get(etag)).status).toBe(304);
    expect((await get(`"x", ${etag.slice(2)}`)).status).toBe(304);
    served.hub.block("a");
    const changed = await get(etag);
    expect(changed.status).toBe(200);
    expect(await changed.json()).toMatchObject({ blockedNodes: ["a"] });
  });

  test("of 100,000 members is sent in pieces, and other requests are served between them", async () => {
    let yields = 0;
    const yieldCounting = () => {
      yields++;
      return systemClock.yield();
    };
    await using served = await serveHub({ serverClock: { ...systemClock, yield: yieldCounting } });
    await served.set(...Array.from({ length: 100_000 }, (_, index) => `node-${index}`));
    const response = await fetch(`${served.server.url}/topology`);
    const text = await response.text();
    expect(JSON.parse(text).members).toHaveLength(100_000);
    expect(text.length / yields).toBeLessThan(32_768);
  });
});

describe("the server", () => {
  test("serves the metrics it is given", async () => {
    await using served = await serveHub();
    const response = await fetch(`${served.server.url}/metrics`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4");
    expect(await response.text()).toBe("holdfast_up 1\n");
  });

  test("responds to unknown paths and methods with a code", async () => {
    await using served = await serveHub();
    const { url } = served.server;
    // R5.5
    expect(await getJson(`${url}/nothing`)).toMatchObject({
      status: 404,
      body: { error: { code: "HTTP_NOT_FOUND" } },
    });
    const posted = await fetch(`${url}/topology`, { method: "POST", body: "x" });
    expect(posted.status).toBe(405);
    expect(posted.headers.get("allow")).toBe("GET, HEAD");
    expect(await posted.json()).toMatchObject({ error: { code: "HTTP_METHOD_NOT_ALLOWED" } });
  });

  test("responds to HEAD without a body", async () => {
    await using served = await serveHub();
    for (const path of ["topology", "events", "readyz", "metrics"]) {
      const response = await fetch(`${served.server.url}/${path}`, { method: "HEAD" });
      expect([path, await response.text()]).toEqual([path, ""]);
    }
  });

  test("reveals nothing about an unexpected failure", async () => {
    const error = new Error("password=hunter2");
    await using served = await serveHub({ metrics: () => Promise.reject(error) });
    // R1.6
    expect(await getJson(`${served.server.url}/metrics`)).toEqual({
      status: 500,
      body: { error: { code: "LIFECYCLE_INTERNAL", message: "the request failed unexpectedly" } },
    });
  });

  // R7.6: the bound address decides, however it is written.
  test.each([["127.0.0.1"], ["127.1"], ["::ffff:127.0.0.1"], ["0:0:0:0:0:0:0:1"], ["localhost"]])(
    "bound to %s refuses names of other machines, and answers the allowed ones",
    async (host) => {
      await using served = await serveHub({ host, allowedHosts: ["holdfast.example"] });
      const statusOf = (name: string) => getWithHost(`${served.server.url}/healthz`, name);
      expect(await statusOf("evil.example")).toBe(403);
      expect(await statusOf("localhost:80")).toBe(200);
      expect(await statusOf("holdfast.example:7420")).toBe(200);
    },
  );

  // R7.6: with an absolute URL a server ignores the Host header (RFC 9112, section 3.2.2).
  test("refuses names of other machines in an absolute URL too", async () => {
    await using served = await serveHub();
    await using client = await RawClient.connect(served.server.url);
    client.get("http://localhost/healthz").get("http://evil.example/healthz").get("//evil.example/healthz");
    await client.until(() => client.statuses.length === 3);
    expect(client.statuses).toEqual([200, 403, 404]);
  });

  test.each([
    ["OPTIONS * HTTP/1.1\r\nHost: localhost"],
    ["GET ftp://localhost/healthz HTTP/1.1\r\nHost: localhost"],
    ["GET /healthz HTTP/1.1\r\nHost: localhost@evil.example"],
    ["GET /healthz HTTP/1.1\r\nHost: localhost:99999"],
  ])("answers %j with a failure in JSON", async (head) => {
    await using served = await serveHub();
    await using client = await RawClient.connect(served.server.url);
    client.send(`${head}\r\n\r\n`);
    await client.until((text) => text.endsWith("}}"));
    expect(client.statuses).toEqual([400]);
    expect(client.text).toContain(
      '{"error":{"code":"VALIDATION_MALFORMED","message":"the URL or the Host header',
    );
  });

  test("bound to the name of the machine, checks the Host header exactly when the name leads to loopback", async () => {
    const { address } = await lookup(hostname()).catch(() => ({ address: "" }));
    if (address === "") return;
    await using served = await serveHub({ host: hostname() });
    const url = `${served.server.url}/healthz`;
    expect(await getWithHost(url, "evil.example")).toBe(isLoopbackAddress(address) ? 403 : 200);
    expect(await getWithHost(url, hostname())).toBe(200);
  });

  test("accepts any host on an address that other machines can reach", async () => {
    await using served = await serveHub({ host: "0.0.0.0" });
    const url = served.server.url.replace("0.0.0.0", "127.0.0.1");
    expect(await getWithHost(`${url}/healthz`, "holdfast.example")).toBe(200);
  });

  test("reports that the port is taken", async () => {
    await using served = await serveHub();
    const { directory, clock, server } = served;
    const port = Number(new URL(server.url).port);
    const options = { directory, clock, host: "127.0.0.1", port, maxEventClients: 1, maxLag: 1 };
    // R5.5
    await expect(HttpServer.listen(options)).rejects.toMatchObject({
      code: "LIFECYCLE_LISTEN_FAILED",
      message: `[LIFECYCLE_LISTEN_FAILED] cannot listen on 127.0.0.1:${port}: another program listens there`,
    });
  });

  test("closes idle connections at once and can be closed twice", async () => {
    const served = await serveHub();
    await fetch(`${served.server.url}/healthz`).then((response) => response.text());
    await Promise.all([served.server[Symbol.asyncDispose](), served.server[Symbol.asyncDispose]()]);
    await expect(fetch(`${served.server.url}/healthz`)).rejects.toThrow("fetch failed");
    await served[Symbol.asyncDispose]();
    expect(served.clock.pendingTimers).toBe(0);
  });
});
