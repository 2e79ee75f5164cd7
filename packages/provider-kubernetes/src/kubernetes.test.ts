import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import type { ClusterProvider } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import {
  answer,
  FakeApiServer,
  pods,
  toSlice,
  type FakeSlice,
  type Handler,
} from "../test/fake-api-server.ts";
import { failureOf, idsOf, waitForHeartbeats, probe, waitForMembers, time, watch } from "../test/watched.ts";

const JSON_TYPE = { "content-type": "application/json" };
const SECRET = "hunter2";
const EXPIRED = { kind: "Status", code: 410, reason: "Expired", message: SECRET };

let fake: FakeApiServer;
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  fake = await FakeApiServer.listen();
  fake.secondMs = 80;
  open.push(fake);
  fake.put(pods("s1", "a"));
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

/** Returns a slice with a pod of the same name. */
function stored(name: string, resourceVersion: string): FakeSlice {
  const slice = pods(name, name);
  return { ...slice, metadata: { ...slice.metadata, resourceVersion } };
}

function provide(params: Readonly<Record<string, unknown>> = {}, heartbeatMs = 1_000): ClusterProvider {
  const provider = createTestProvider({ params: { server: fake.address, ...params }, heartbeatMs });
  open.push(provider);
  return provider;
}

const isWatch = (url: string | undefined): boolean => url?.includes("watch=1") === true;
const watchRequests = (): readonly URL[] => fake.requests.filter(({ search }) => isWatch(search));
const isCheck = ({ searchParams }: URL): boolean => searchParams.has("fieldSelector");
const lists = (): readonly URL[] => fake.requests.filter((url) => !isWatch(url.search) && !isCheck(url));

/** Returns a handler that applies only to watches. */
function onWatch(handler: (response: ServerResponse, url: URL) => void): void {
  fake.handler = ({ url = "" }, response, next) =>
    isWatch(url) ? handler(response, new URL(url, fake.address)) : next();
}

/** Waits until a watch is open at the server. */
async function isOpen(count = 1): Promise<void> {
  while (fake.watches < count) await time.advance(1);
}

function flood(response: ServerResponse): void {
  const more = (): void => {
    while (response.write("x".repeat(1_024)));
  };
  response.on("drain", more);
  more();
}

describe("the requests", () => {
  test("end when a list does not end", async () => {
    fake.handler = (_, response) =>
      answer(response, 200, { metadata: { resourceVersion: "1", continue: SECRET }, items: [] });
    const error = await failureOf(watch(provide({ pageSize: 1_000 }, 600_000)));
    expect(error).toMatchObject({ code: "STREAM_INVALID_DATA", details: { maxPages: 1_000 } });
  });

  test("are a list from storage, page by page, and then watches from the last version", async () => {
    // R2.1
    fake.put(pods("s2", "b"));
    fake.put(pods("s3", "c"));
    const recording = watch(provide({ pageSize: 2 }));
    await waitForMembers(recording, "a", "b", "c");
    const [first, second] = lists();
    expect(first?.pathname).toBe("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices");
    expect(Object.fromEntries(first!.searchParams)).toEqual({
      labelSelector: "kubernetes.io/service-name=web",
      limit: "2",
    });
    expect(Object.fromEntries(second!.searchParams)).toMatchObject({ limit: "2", continue: "2" });
    expect(recording.snapshots).toHaveLength(1);
    expect(recording.snapshots[0]).toMatchObject({ revision: "103" });
    await isOpen();
    expect(Object.fromEntries(watchRequests()[0]!.searchParams)).toEqual({
      labelSelector: "kubernetes.io/service-name=web",
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: "103",
      timeoutSeconds: "1",
    });
    recording.abort();
  });

  test.each([
    [{ namespace: "shop" }, "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"],
    [{ namespace: undefined }, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"],
    [{ namespace: undefined, allNamespaces: true }, "/apis/discovery.k8s.io/v1/endpointslices"],
  ])("with %j have the correct scope", async (params, path) => {
    expect(await probe(provide(params))).toBeUndefined();
    expect(new Set(fake.requests.map(({ pathname }) => pathname))).toEqual(new Set([path]));
  });

  test("use a label selector, and the path of the server as prefix", async () => {
    const provider = provide({
      server: `${fake.address}/k8s/c-1`,
      service: undefined,
      selector: "app in (web,api)",
    });
    await waitForMembers(watch(provider), "a");
    expect(fake.requests[0]?.pathname).toMatch(/^\/k8s\/c-1\/apis\/discovery/);
    expect(fake.requests[0]?.searchParams.get("labelSelector")).toBe("app in (web,api)");
  });

  test("of watches last 60 to 90 % of a heartbeat, at random, and at most watchTimeoutMs", async () => {
    // 75 % of it in whole seconds, because the random value in this test is 0.5.
    for (const [heartbeatMs, params, seconds] of [
      [5_000, {}, "3"],
      [500, {}, "1"],
      [60_000, {}, "45"],
      [60_000, { watchTimeoutMs: 7_999 }, "7"],
    ] as const) {
      fake.requests.length = 0;
      const recording = watch(provide(params, heartbeatMs));
      await waitForMembers(recording, "a");
      await isOpen();
      expect(watchRequests()[0]?.searchParams.get("timeoutSeconds")).toBe(seconds);
      recording.abort();
      await recording.over;
      while (fake.watches > 0) await time.advance(1);
    }
  });

  test("of many watches use one connection", async () => {
    const recording = watch(provide({}, 300));
    await waitForMembers(recording, "a");
    // Each watch ends after a bookmark.
    await waitForHeartbeats(recording, 6);
    expect(watchRequests().length).toBeGreaterThan(2);
    expect(fake.accepted).toBe(1);
    recording.abort();
  });
});

describe("changes", () => {
  test("that arrive at once lead to one snapshot", async () => {
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    await isOpen();
    const lines = [1, 2, 3].map((i) =>
      JSON.stringify({ type: "ADDED", object: stored(`x${i}`, String(200 + i)) }),
    );
    fake.write(`${lines.join("\n")}\n`);
    await waitForMembers(recording, "a", "x1", "x2", "x3");
    expect(recording.snapshots).toHaveLength(2);
    expect(recording.snapshots[1]).toMatchObject({ revision: "203" });
    recording.abort();
  });

  test("of one slice do not replace the node objects of others", async () => {
    fake.put(pods("s2", "b", "c"));
    const recording = watch(provide());
    await waitForMembers(recording, "a", "b", "c");
    const before = recording.snapshots[0]!.members;
    fake.put(pods("s2", "b", "d"));
    await waitForMembers(recording, "a", "b", "d");
    const after = recording.snapshots[1]!.members;
    for (const id of ["a", "b"]) expect(after.get(id)).toBe(before.get(id));
    recording.abort();
  });

  test("between two watches are not lost", async () => {
    const recording = watch(provide({}, 300));
    await waitForMembers(recording, "a");
    for (let i = 0; i < 12; i++) {
      fake.endWatches();
      fake.put(pods("s1", "a", `b${i}`));
      await waitForMembers(recording, "a", `b${i}`);
    }
    expect(lists()).toHaveLength(1);
    recording.abort();
  });

  test("that do not affect members lead to heartbeats and no snapshots", async () => {
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    await isOpen();
    fake.put({ ...pods("s1", "a"), annotations: { checked: "again" } });
    await waitForHeartbeats(recording, 1);
    expect(recording.snapshots).toHaveLength(1);
    recording.abort();
  });

  test("that leave no members lead to an empty snapshot, because the server sent it", async () => {
    // R2.4
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    fake.delete("s1");
    await recording.waitFor("an empty snapshot", () => recording.snapshots[1]);
    expect(idsOf(recording)).toEqual([]);
    recording.abort();
  });

  test("of an unreadable slice are counted, and the other slices stay", async () => {
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    fake.put(toSlice("s2", { endpoints: [{ addresses: [7] }, ...[pods("", "b")["endpoints"]].flat()] }));
    await waitForMembers(recording, "a", "b");
    expect(recording.snapshots.at(-1)?.skipped).toMatchObject({ count: 1 });
    recording.abort();
  });

  test("that leave no readable endpoint lead to an error, not to an empty snapshot", async () => {
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    fake.put(toSlice("s1", { ports: [{ name: "grpc", port: null }], endpoints: pods("", "a")["endpoints"] }));
    expect(await failureOf(recording)).toMatchObject({
      code: "STREAM_INVALID_DATA",
      details: { skipped: { count: 1 } },
    });
    expect(idsOf(recording)).toEqual(["a"]);
  });

  test("of a listed slice without a name are left out and counted", async () => {
    fake.handler = ({ url }, response, next) =>
      isWatch(url)
        ? next()
        : answer(response, 200, {
            metadata: { resourceVersion: "101" },
            items: [pods("s1", "a"), { endpoints: [{ addresses: ["10.0.0.9"] }] }, "text"],
          });
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    expect(recording.snapshots[0]?.skipped).toEqual({
      count: 2,
      reasons: ["metadata.name: expected a name"],
    });
    recording.abort();
  });
});

describe("an expired version", () => {
  // R5.6: a Kubernetes `410 Gone`.
  test("reported by HTTP 410 leads to a new list in the same watch, and only changed nodes are new objects", async () => {
    fake.put(pods("s2", "b"));
    const recording = watch(provide());
    await waitForMembers(recording, "a", "b");
    await isOpen();
    fake.isHanging = true;
    fake.put(pods("s2", "c"));
    fake.put(pods("s3", "d"));
    fake.delete("s3");
    fake.compact();
    fake.isHanging = false;
    fake.endWatches();
    await waitForMembers(recording, "a", "c");
    expect(lists()).toHaveLength(2);
    expect(lists()[1]?.searchParams.has("resourceVersion")).toBe(false);
    expect(recording.snapshots[1]!.members.get("a")).toBe(recording.snapshots[0]!.members.get("a"));
    expect(recording.snapshots).toHaveLength(2);
    fake.put(pods("s2", "e"));
    await waitForMembers(recording, "a", "e");
    recording.abort();
  });

  test("reported by an ERROR event leads to a new list too; with the same content there is a heartbeat", async () => {
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    await isOpen();
    fake.write(`${JSON.stringify({ type: "ERROR", object: EXPIRED })}\n`);
    await recording.waitFor("another list", () => (lists().length === 2 ? true : undefined));
    await waitForHeartbeats(recording, 1);
    expect(recording.snapshots).toHaveLength(1);
    expect(recording.outcome.kind).toBe("running");
    recording.abort();
  });

  test("during a list starts the list again, without slices that were deleted in the meantime", async () => {
    fake.put(pods("s2", "b"));
    let isFirst = true;
    fake.handler = (request, response, next) => {
      if (!isFirst || request.url?.includes("continue=") !== true) return next();
      isFirst = false;
      fake.delete("s1");
      return answer(response, 410, EXPIRED);
    };
    const recording = watch(provide({ pageSize: 1 }));
    await waitForMembers(recording, "b");
    expect(recording.snapshots).toHaveLength(1);
    recording.abort();
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["by HTTP", (response) => answer(response, 410, EXPIRED)],
    [
      "by ERROR events",
      (r) => r.writeHead(200, JSON_TYPE).end(`${JSON.stringify({ type: "ERROR", object: EXPIRED })}\n`),
    ],
    [
      "by ERROR events after a bookmark",
      (r) =>
        r
          .writeHead(200, JSON_TYPE)
          .end(`${fake.bookmark()}${JSON.stringify({ type: "ERROR", object: EXPIRED })}\n`),
    ],
  ])("reported repeatedly %s leads to STREAM_EXPIRED after some lists", async (_, respond) => {
    onWatch(respond);
    const recording = watch(provide());
    const failure = await failureOf(recording);
    expect(failure.code).toBe("STREAM_EXPIRED");
    expect(JSON.stringify(failure)).not.toContain(SECRET);
    expect(lists()).toHaveLength(4);
    expect(recording.snapshots).toHaveLength(1);
  });

  test("for every second page leads to STREAM_EXPIRED after some lists", async () => {
    fake.put(pods("s2", "b"));
    fake.handler = (request, response, next) =>
      request.url?.includes("continue=") === true ? answer(response, 410, EXPIRED) : next();
    const recording = watch(provide({ pageSize: 1 }));
    expect((await failureOf(recording)).code).toBe("STREAM_EXPIRED");
    expect(recording.events).toEqual([]);
  });

  test("is avoided by bookmarks: a watch continues from the last one", async () => {
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    await isOpen();
    fake.isIdle = true;
    fake.version = 500;
    fake.write(fake.bookmark());
    await recording.waitFor("a watch from there", () =>
      watchRequests().some(({ searchParams }) => searchParams.get("resourceVersion") === "500")
        ? true
        : undefined,
    );
    expect(lists()).toHaveLength(1);
    recording.abort();
  });
});

describe("a response", () => {
  const cases: readonly (readonly [string, string, Handler])[] = [
    [
      "that is an HTML page of a load balancer",
      "STREAM_INVALID_DATA",
      (_, r) => r.writeHead(200, { "content-type": "text/html" }).end(`<html>${SECRET}`),
    ],
    ["that is not JSON", "STREAM_INVALID_DATA", (_, r) => r.writeHead(200, JSON_TYPE).end(`{"${SECRET}\n`)],
    ["that is not a list", "STREAM_INVALID_DATA", (_, r) => answer(r, 200, { status: SECRET })],
    [
      "that is closed (FIN) in the middle of the body",
      "STREAM_FAILED",
      (_, r) =>
        void r.writeHead(200, { ...JSON_TYPE, "content-length": 999 }).write("{", () => r.socket?.end()),
    ],
    [
      "that is reset (RST) in the middle of the body",
      "STREAM_FAILED",
      (_, r) => void r.writeHead(200, JSON_TYPE).write("{", () => r.socket?.resetAndDestroy()),
    ],
    ["that is endless", "STREAM_INVALID_DATA", (_, r) => flood(r.writeHead(200, JSON_TYPE))],
    ["with 500", "CONNECTIVITY_UNAVAILABLE", (_, r) => r.writeHead(500).end(SECRET)],
    ["with 503 and an endless body", "CONNECTIVITY_UNAVAILABLE", (_, r) => flood(r.writeHead(503))],
    ["with 504", "CONNECTIVITY_TIMEOUT", (_, r) => answer(r, 504, { message: SECRET })],
    ["with 401", "CONNECTIVITY_UNAUTHORIZED", (_, r) => answer(r, 401, { message: SECRET })],
    ["with 403", "CONNECTIVITY_UNAUTHORIZED", (_, r) => answer(r, 403, { message: SECRET })],
    ["with 404", "CONNECTIVITY_REFUSED", (_, r) => answer(r, 404, { message: SECRET })],
    ["with a redirect", "STREAM_INVALID_DATA", (_, r) => r.writeHead(302, { location: "/login" }).end()],
  ];

  // R1.4 R5.5
  test.each(cases)("%s to a list leads to %s and no snapshot", async (_, code, handler) => {
    const provider = provide({ maxBytes: 65_536 });
    fake.handler = handler;
    const recording = watch(provider);
    const failure = await failureOf(recording);
    expect(failure.code).toBe(code);
    expect(recording.events).toEqual([]);
    expect(JSON.stringify([failure, failure.message, String(failure.cause)])).not.toContain(SECRET);
    expect(await probe(provider)).toMatchObject({
      code: code === "STREAM_FAILED" ? "CONNECTIVITY_REFUSED" : code,
    });
    fake.handler = undefined;
    await waitForMembers(watch(provider), "a");
  });

  test.each(cases.filter(([name]) => name !== "that is not a list"))(
    "%s to a watch leads to %s, and the last snapshot stays",
    async (_, code, handler) => {
      const provider = provide({ maxBytes: 65_536 });
      fake.handler = (request, response, next) =>
        isWatch(request.url) ? handler(request, response, next) : next();
      const recording = watch(provider);
      expect((await failureOf(recording)).code).toBe(code);
      expect(idsOf(recording)).toEqual(["a"]);
      expect(recording.snapshots).toHaveLength(1);
    },
  );

  test.each<[string, string, string]>([
    ["an incomplete line", '{"type":"ADDED","obj', "STREAM_FAILED"],
    ["a line that is not an event", '{"status":"ok"}\n', "STREAM_INVALID_DATA"],
    [
      "an ERROR 500",
      `${JSON.stringify({ type: "ERROR", object: { code: 500 } })}\n`,
      "CONNECTIVITY_UNAVAILABLE",
    ],
    ["an ERROR 504", `${JSON.stringify({ type: "ERROR", object: { code: 504 } })}\n`, "CONNECTIVITY_TIMEOUT"],
  ])("to a watch with %s is an error, and the last snapshot stays", async (_, text, code) => {
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    await isOpen();
    fake.write(text);
    fake.endWatches();
    const failure = await failureOf(recording);
    expect(failure.code).toBe(code);
    if (text.includes("ERROR")) {
      expect(failure.message).toContain(fake.address);
      expect(failure.details).toMatchObject({ request: 'watch endpointslices in namespace "default"' });
    }
    expect(idsOf(recording)).toEqual(["a"]);
  });

  test("with 429 or 503 reports the requested delay, as HTTP status and as ERROR event", async () => {
    const provider = provide();
    for (const status of [429, 503]) {
      fake.handler = (_, response) => response.writeHead(status, { "retry-after": "7" }).end();
      expect((await failureOf(watch(provider))).details).toMatchObject({ retryAfterMs: 7_000, status });
    }
    onWatch((response) => {
      const object = { code: 429, details: { retryAfterSeconds: 3 } };
      response.writeHead(200, JSON_TYPE).end(`${JSON.stringify({ type: "ERROR", object })}\n`);
    });
    expect(await failureOf(watch(provider))).toMatchObject({
      code: "CONNECTIVITY_OVERLOADED",
      details: { retryAfterMs: 3_000 },
    });
  });
});

describe("a probe", () => {
  test("requests little data, and leaves no connection open", async () => {
    expect(await probe(provide())).toBeUndefined();
    expect(lists()[0]?.searchParams.get("limit")).toBe("1");
    while (fake.openRequests > 0) await time.advance(1);
    expect(fake.watches).toBe(0);
  });

  // R1.4: the error names the rejected request.
  test.each([
    ["list", false],
    ["watch", true],
  ])("that is not allowed to %s reports that", async (verb, isOfWatch) => {
    fake.handler = (request, response, next) =>
      isWatch(request.url) === isOfWatch ? answer(response, 403, {}) : next();
    expect(await probe(provide())).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      details: { status: 403, request: `${verb} endpointslices in namespace "default"` },
    });
  });

  test("distinguishes refused connections from timeouts", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = closed.address() as AddressInfo;
    closed.close();
    expect(await probe(provide({ server: `http://127.0.0.1:${port}` }))).toMatchObject({
      code: "CONNECTIVITY_REFUSED",
    });
    fake.isHanging = true;
    expect(await probe(provide())).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
  });
});

describe("a heartbeat", () => {
  test("follows the normal end of a watch, and needs no list", async () => {
    const recording = watch(provide({}, 300));
    await waitForMembers(recording, "a");
    await waitForHeartbeats(recording, 5);
    expect(lists()).toHaveLength(1);
    expect(recording.snapshots).toHaveLength(1);
    recording.abort();
  });

  test("is not sent for a server that stops responding, which leads to STREAM_SILENT in time", async () => {
    // R5.6: a backend that accepts a connection and never responds.
    const recording = watch(provide({}, 200));
    await waitForMembers(recording, "a");
    await isOpen();
    fake.isHanging = true;
    await time.advance(100);
    const before = recording.events.length;
    const failure = await failureOf(recording);
    expect(failure).toMatchObject({ code: "STREAM_SILENT", details: { withinMs: 1_200 } });
    expect(recording.events).toHaveLength(before);
  });

  test("is not sent for a server that ends every watch at once without an event", async () => {
    onWatch((response) => response.writeHead(200, JSON_TYPE).end());
    const recording = watch(provide());
    expect((await failureOf(recording)).code).toBe("STREAM_FAILED");
    expect(recording.events.map(({ type }) => type)).toEqual(["snapshot"]);
    expect(watchRequests()).toHaveLength(5);
  });

  test("is sent for a server that ends every watch after a bookmark, with pauses between requests", async () => {
    onWatch((response) => response.writeHead(200, JSON_TYPE).end(fake.bookmark()));
    const recording = watch(provide({}, 3_000));
    await waitForMembers(recording, "a");
    await time.advance(1_000);
    expect(recording.outcome.kind).toBe("running");
    // Pauses of 50, 100, 200, 400 and 500 ms.
    expect(watchRequests().length).toBeGreaterThan(2);
    expect(watchRequests().length).toBeLessThan(8);
    recording.abort();
  });
});

describe("the end", () => {
  test("of an aborted watch leaves no connection open at the server", async () => {
    const recording = watch(provide());
    await waitForMembers(recording, "a");
    await isOpen();
    recording.abort();
    await time.until(recording.over, 100);
    expect(recording.outcome).toEqual({ kind: "ended" });
    while (fake.openRequests > 0) await time.advance(1);
  });

  test("of a provider ends its watches, and later probes, with LIFECYCLE_STOPPED", async () => {
    const provider = provide();
    const recording = watch(provider);
    await waitForMembers(recording, "a");
    await provider[Symbol.asyncDispose]();
    expect((await failureOf(recording)).code).toBe("LIFECYCLE_STOPPED");
    expect(await probe(provider)).toMatchObject({ code: "LIFECYCLE_STOPPED" });
    expect((await failureOf(watch(provider))).code).toBe("LIFECYCLE_STOPPED");
  });
});
