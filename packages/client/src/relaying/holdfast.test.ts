import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createSelfSigned, hasOpenssl, TemporaryFolder } from "@holdfast-apps/test-support";
import {
  createSnapshot,
  MemberSet,
  systemClock,
  type AdapterOptions,
  type ClusterProvider,
} from "@holdfast/core";
import { afterEach, describe, expect, test } from "vitest";
import { toFrame, toViaFrame } from "../../test/fake-frames.ts";
import { holdfast } from "./holdfast.ts";
import type { HoldfastParams } from "./holdfast-params.ts";

const open: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

const members = MemberSet.from([{ id: "a", host: "a.test", port: 80, tags: [], metadata: {} }]);
const { hash } = createSnapshot({ providerId: "backend", members, observedAt: 0 });
const STATE = toFrame(
  "state",
  { epoch: "e", seqNo: 4 },
  {
    epoch: "e",
    seqNo: 4,
    status: "ready",
    reason: "current",
    isStale: false,
    providerId: "backend",
    hash,
    blockedNodes: [],
    memberCount: 1,
    members: [...members],
  },
);

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

const serveState: RequestListener = (_, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(`retry: 2000\n\n${STATE}`);
};

function create(params: HoldfastParams, options: AdapterOptions = {}): ClusterProvider {
  const adapter = holdfast.createAdapter(options);
  const descriptor = { id: "upstream", kind: "holdfast", priority: 1, params: adapter.params.parse(params) };
  const provider = adapter.create(descriptor, {
    clock: systemClock,
    random: () => 0.5,
    heartbeatMs: 5_000,
  });
  open.push(async () => provider[Symbol.asyncDispose]());
  return provider;
}

async function firstEvent(provider: ClusterProvider) {
  const stop = new AbortController();
  for await (const event of provider.watch({ signal: stop.signal })) {
    if (event.type !== "snapshot") continue;
    stop.abort();
    return event;
  }
  return undefined;
}

const { signal } = new AbortController();

// R7.4
describe("holdfast()", () => {
  test("reads a topology over HTTP, and sends the token", async () => {
    const tokens: (string | undefined)[] = [];
    const address = await listen(
      createHttpServer((request, response) => {
        tokens.push(request.headers.authorization);
        serveState(request, response);
      }),
    );
    using folder = new TemporaryFolder();
    const file = folder.write("token", "secret-1\n");
    const provider = create({ url: `http://${address}`, token: { file } });
    await provider.probe({ signal });
    expect((await firstEvent(provider))?.snapshot).toMatchObject({ providerId: "upstream", hash });
    folder.write("token", "secret-2\n");
    await firstEvent(provider);
    expect(tokens).toEqual(["Bearer secret-1", "Bearer secret-1", "Bearer secret-2"]);
  });

  test("does not follow a redirect, which could lead the token to another server", async () => {
    let isAsked = false;
    const other = await listen(
      createHttpServer((request, response) => {
        isAsked = true;
        serveState(request, response);
      }),
    );
    const address = await listen(
      createHttpServer(
        (_, response) => void response.writeHead(307, { location: `http://${other}/events` }).end(),
      ),
    );
    await expect(create({ url: `http://${address}` }).probe({ signal })).rejects.toThrow(/status 307/);
    expect(isAsked).toBe(false);
  });

  test("a connection that is refused or cut off is an error with a code", async () => {
    const address = await listen(createHttpServer((request) => void request.socket.destroy()));
    await expect(create({ url: `http://${address}` }).probe({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      message: expect.stringContaining(`the daemon at http://${address}`),
    });
    await expect(create({ url: "http://127.0.0.1:1" }).probe({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_REFUSED",
    });
  });

  test.skipIf(!hasOpenssl())(
    "trusts the certificates that it was given, and no others (needs openssl)",
    async () => {
      using folder = new TemporaryFolder();
      const { cert, key, certFile } = createSelfSigned(folder, "daemon.test");
      const address = await listen(createHttpsServer({ cert, key }, serveState));
      const url = `https://${address}`;
      await expect(create({ url }).probe({ signal })).rejects.toMatchObject({ code: "CONNECTIVITY_TLS" });
      const provider = create({ url, tls: { caFile: certFile } });
      await provider.probe({ signal });
      expect((await firstEvent(provider))?.snapshot.hash).toBe(hash);
    },
  );

  test("follows a topology by name", async () => {
    const paths: (string | undefined)[] = [];
    const address = await listen(
      createHttpServer((request, response) => {
        paths.push(request.url);
        serveState(request, response);
      }),
    );
    await create({ url: `http://${address}`, topology: "orders" }).probe({ signal });
    expect(paths).toEqual(["/topologies/orders/events"]);
  });

  test("does not relay content that came through this process", async () => {
    const address = await listen(
      createHttpServer((_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`${toViaFrame(["other", "this", "third"])}${STATE}`);
      }),
    );
    const stop = new AbortController();
    const own = create({ url: `http://${address}` }, { instance: "this" });
    for await (const event of own.watch({ signal: stop.signal })) {
      if (event.type === "heartbeat") continue;
      expect(event).toMatchObject({
        type: "held",
        reason: { code: "TOPOLOGY_LOOP", details: { via: ["other"] } },
      });
      stop.abort();
    }
    const foreign = await firstEvent(create({ url: `http://${address}` }, { instance: "fourth" }));
    expect(foreign?.held).toBeUndefined();
    expect(foreign?.snapshot.via).toEqual(["other", "this", "third"]);
  });

  test.each([
    [{ url: "http://10.0.0.5:7420", token: { env: "T" } }, ["CONNECTIVITY_INSECURE"]],
    [{ url: "https://10.0.0.5:7420", token: { env: "T" } }, []],
    [{ url: "http://[::1]:7420", token: { env: "T" } }, []],
    [{ url: "http://10.0.0.5:7420" }, []],
  ])("reports a token that others on the network can read: %j", async (params, codes) => {
    const found = (await create(params).audit?.({ signal })) ?? [];
    expect(found.map(({ code }) => code)).toEqual(codes);
  });

  test.each([
    ["http://a.test/path", /url/],
    ["http://user:secret@a.test", /url/],
    ["ftp://a.test", /url/],
  ])("refuses the address %s", (url, words) => {
    expect(() => holdfast.createAdapter().params.parse({ url })).toThrow(words);
  });
});
