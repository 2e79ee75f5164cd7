import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock, type ClusterProvider, type ProviderSnapshot } from "@holdfast/core";
import { createAdapter } from "./roster.ts";
import { RosterServer } from "./roster-server.ts";

const { signal } = new AbortController();
const member = { id: "a", host: "10.0.0.1", port: 7000 };

async function serve(t: TestContext, token?: string): Promise<RosterServer> {
  const server = await RosterServer.listen({ token });
  t.after(() => server.close());
  return server;
}

function providerOf(t: TestContext, params: object): ClusterProvider {
  const adapter = createAdapter();
  const provider = adapter.create(
    { id: "test", kind: adapter.kind, priority: 1, params: adapter.params.parse(params) },
    { clock: systemClock, random: () => 0.5, heartbeatMs: 1_000 },
  );
  t.after(() => provider[Symbol.asyncDispose]());
  return provider;
}

async function firstSnapshot(provider: ClusterProvider): Promise<ProviderSnapshot> {
  for await (const event of provider.watch({ signal })) if (event.type === "snapshot") return event.snapshot;
  throw new Error("the watch ended without a snapshot");
}

test("reads its token again for every request", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "roster-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  const { url } = await serve(t, "right");
  const provider = providerOf(t, { url, token: { file } });
  await rejects(provider.probe({ signal }), { code: "CONNECTIVITY_SECRET_UNAVAILABLE" });
  await writeFile(file, "wrong");
  await rejects(provider.probe({ signal }), { code: "CONNECTIVITY_UNAUTHORIZED" });
  await writeFile(file, "right\n");
  await provider.probe({ signal });
});

test("skips malformed members, and counts them", async (t) => {
  const server = await serve(t);
  server.set([member, { ...member, id: "b", port: 0 }, 7]);
  const { members, skipped } = await firstSnapshot(providerOf(t, { url: server.url }));
  deepEqual(
    Array.from(members, ({ id }) => id),
    ["a"],
  );
  equal(skipped?.count, 2);
});

test("reports when the backend wants the next request", async (t) => {
  const server = await serve(t);
  server.behave("failing");
  server.retryAfter = "7";
  await rejects(providerOf(t, { url: server.url }).probe({ signal }), {
    code: "CONNECTIVITY_UNAVAILABLE",
    details: { url: server.url, status: 503, retryAfterMs: 7_000 },
  });
});

test("rejects a response that is too long", async (t) => {
  const server = await serve(t);
  server.set([member]);
  const provider = providerOf(t, { url: server.url, maxBytes: 20 });
  await rejects(firstSnapshot(provider), { code: "STREAM_INVALID_DATA" });
});

test("closes its connections on disposal", { timeout: 10_000 }, async (t) => {
  const server = await serve(t);
  const provider = providerOf(t, { url: server.url });
  await firstSnapshot(provider);
  equal(await server.connections, 1);
  await provider[Symbol.asyncDispose]();
  // The server closes its side in a later turn of the event loop. The timeout of the test ends the loop.
  while ((await server.connections) > 0) await systemClock.yield();
});

for (const [what, headers, body] of [
  ["not JSON", { etag: '"1"' }, "<html>"],
  ["no list of members", { etag: '"1"' }, '{"members":{}}'],
  ["no ETag", {}, '{"members":[]}'],
] as const) {
  test(`a response with the fault "${what}" is an error and leads to no snapshot`, async (t) => {
    const server = createServer((_, response) => void response.writeHead(200, headers).end(body));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const provider = providerOf(t, { url: `http://127.0.0.1:${port}/` });
    await rejects(firstSnapshot(provider), { code: "STREAM_INVALID_DATA", message: new RegExp(what) });
    await provider[Symbol.asyncDispose]();
  });
}

test("accepts valid parameters, and a token only as a reference", () => {
  const { params } = createAdapter();
  const url = "https://roster.test/members";
  deepEqual(params.parse({ url }), { url, maxBytes: 16_777_216 });
  for (const wrong of [{}, { url: "ftp://a.test" }, { url, token: "secret" }, { url, tokn: { env: "A" } }]) {
    ok(!params.safeParse(wrong).success, JSON.stringify(wrong));
  }
  match(JSON.stringify(params.safeParse({ url, token: "secret" }).error?.issues), /not the secret itself/);
});
