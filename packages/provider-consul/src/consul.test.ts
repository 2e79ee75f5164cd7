import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { createRealTime, WatchRecording } from "@holdfast/conformance";
import { isProvisioningError, type ClusterProvider, type ProvisioningError } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { FakeConsul, toEntry, type Handler } from "../test/fake-consul.ts";

const time = createRealTime();
const entry = (id: string) => toEntry({ id, host: "10.0.0.1", port: 80 });

let fake: FakeConsul;
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  fake = await FakeConsul.listen();
  fake.set([entry("a")]);
  open.push(fake);
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

function provide(params: Readonly<Record<string, unknown>> = {}, heartbeatMs = 5_000): ClusterProvider {
  const provider = createTestProvider({ params: { addresses: [fake.address], ...params }, heartbeatMs });
  open.push(provider);
  return provider;
}

function watch(provider: ClusterProvider): WatchRecording {
  return new WatchRecording({ provider, time, patienceMs: 10_000 });
}

const idsOf = ({ snapshots }: WatchRecording) => Array.from(snapshots.at(-1)?.members ?? [], ({ id }) => id);

async function shows(recording: WatchRecording, ...ids: readonly string[]): Promise<void> {
  await recording.waitFor(`the members ${ids.join()}`, () =>
    idsOf(recording).join() === ids.join() ? true : undefined,
  );
}

async function failureOf(recording: WatchRecording): Promise<ProvisioningError> {
  await time.until(recording.over, 10_000);
  if (recording.outcome.kind === "failed" && isProvisioningError(recording.outcome.error))
    return recording.outcome.error;
  throw new Error(`the watch did not fail: ${recording.describe()}`);
}

async function probe(provider: ClusterProvider): Promise<unknown> {
  const { signal } = new AbortController();
  return provider.probe({ signal }).catch((error: unknown) => error);
}

/** Waits until a blocking query of the watch is open. */
async function blocks(recording: WatchRecording): Promise<void> {
  while (fake.blocked === 0 && recording.outcome.kind === "running") await time.advance(1);
}

describe("the index", () => {
  // R5.6: Consul's index going backwards.
  test.each([
    ["goes backwards", "7", { before: 11, after: 7 }],
    ["is 0", "0", { before: 11, after: 0 }],
    ["is missing", "", { before: 11, after: null }],
  ])("that %s ends the watch, and the response leads to no snapshot", async (_, index, details) => {
    const provider = provide();
    const recording = watch(provider);
    await shows(recording, "a");
    await blocks(recording);
    fake.headers = { "x-consul-index": index };
    fake.set([entry("old")]);
    expect(await failureOf(recording)).toMatchObject({ code: "STREAM_INDEX_ROLLBACK", details });
    expect(idsOf(recording)).toEqual(["a"]);
    fake.headers = {};
    fake.set([entry("b")], 5);
    // The server was set up again from nothing, so its content is current even with a lower index.
    await shows(watch(provider), "b");
  });

  test.each(["default", "stale"])(
    "that is lower than before leads to a second query with consistent, because a new %s reader may still be behind",
    async (consistency) => {
      const provider = provide({ consistency });
      const first = watch(provider);
      await shows(first, "a");
      first.abort();
      fake.handler = (request, response, next) => {
        if (request.url?.includes("consistent") === true) return next();
        response.writeHead(200, { "content-type": "application/json", "x-consul-index": "4" });
        return response.end(JSON.stringify([entry("old")]));
      };
      fake.set([entry("new")]);
      const second = watch(provider);
      await shows(second, "new");
      expect(second.snapshots).toHaveLength(1);
    },
  );

  test("is unknown at first, so the first query makes the leader confirm that it has read its whole log", async () => {
    // The response of a Consul server that was killed and started again one second ago.
    fake.handler = (request, response, next) => {
      if (/consistent|index=|filter=/.test(request.url ?? "")) return next();
      response.writeHead(200, { "content-type": "application/json", "x-consul-index": "4" });
      return response.end(JSON.stringify([entry("one-of-many")]));
    };
    const recording = watch(provide());
    await shows(recording, "a");
    expect(recording.snapshots).toHaveLength(1);
  });

  test("advances only after the consumer has received the snapshot", async () => {
    const iterator = provide().watch({ signal: new AbortController().signal })[Symbol.asyncIterator]();
    await iterator.next();
    expect(fake.requests.some((path) => path.includes("index="))).toBe(false);
    await iterator.return?.();
  });
});

describe("a response", () => {
  const json = { "content-type": "application/json", "x-consul-index": "12" };
  const cases: readonly (readonly [string, string, Handler])[] = [
    [
      "that is an HTML page of a load balancer",
      "STREAM_INVALID_DATA",
      (_, r) => r.writeHead(200, { "content-type": "text/html" }).end("<html>hunter2"),
    ],
    ["that is not JSON", "STREAM_INVALID_DATA", (_, r) => r.writeHead(200, json).end("[{")],
    ["that is not an array", "STREAM_INVALID_DATA", (_, r) => r.writeHead(200, json).end("{}")],
    ["without any valid entry", "STREAM_INVALID_DATA", (_, r) => r.writeHead(200, json).end('[{"Node":7}]')],
    [
      "that is closed (FIN) in the middle of the body",
      "STREAM_FAILED",
      (_, r) => void r.writeHead(200, { ...json, "content-length": 999 }).write("[", () => r.socket?.end()),
    ],
    [
      "that is reset (RST) in the middle of the body",
      "STREAM_FAILED",
      (_, r) => void r.writeHead(200, json).write("[", () => r.socket?.resetAndDestroy()),
    ],
    ["without a leader", "CONNECTIVITY_NO_LEADER", (_, r) => r.writeHead(500).end("No cluster leader")],
    ["with 500", "CONNECTIVITY_UNAVAILABLE", (_, r) => r.writeHead(500).end("hunter2")],
    ["with 503 and an endless body", "CONNECTIVITY_UNAVAILABLE", (_, r) => flood(r.writeHead(503))],
    ["that is endless", "STREAM_INVALID_DATA", (_, r) => flood(r.writeHead(200, json))],
    ["with 403", "CONNECTIVITY_UNAUTHORIZED", (_, r) => r.writeHead(403).end("Permission denied")],
    ["for an unknown token", "CONNECTIVITY_UNKNOWN_TOKEN", (_, r) => r.writeHead(403).end("ACL not found")],
    [
      "that ACL rules have filtered",
      "CONNECTIVITY_UNAUTHORIZED",
      (_, r) => r.writeHead(200, { ...json, "x-consul-results-filtered-by-acls": "true" }).end("[]"),
    ],
  ];

  // R1.4 R5.5
  test.each(cases)(
    "%s fails the watch and the probe with %s, and is never shown as empty",
    async (_, code, handler) => {
      const provider = provide({ maxBytes: 4_096 });
      const running = watch(provider);
      await shows(running, "a");
      await blocks(running);
      fake.handler = handler;
      fake.drop();
      const failure = await failureOf(running);
      expect(failure.code).toMatch(/^(CONNECTIVITY|STREAM)_/);
      const fresh = await failureOf(watch(provider));
      expect(fresh.code).toBe(code);
      expect(JSON.stringify([fresh, String(fresh.cause)])).not.toContain("hunter2");
      expect(idsOf(running)).toEqual(["a"]);
      fake.handler = undefined;
      await shows(watch(provider), "a");
    },
  );

  test("with 429 reports the delay that the server asks for", async () => {
    fake.handler = (_, response) => response.writeHead(429, { "retry-after": "7" }).end();
    expect(await failureOf(watch(provide()))).toMatchObject({
      code: "CONNECTIVITY_OVERLOADED",
      details: { retryAfterMs: 7_000, status: 429 },
    });
  });

  test("that is empty is accepted only if the token may read the service", async () => {
    // R1.4: ACLs hide instances by a response with 200 and [].
    let isAllowed = false;
    fake.handler = (request, response, next) =>
      request.url?.startsWith("/v1/internal/acl/authorize") === true
        ? response.writeHead(200, json).end(JSON.stringify([{ Allow: isAllowed }]))
        : next();
    fake.set([]);
    const provider = provide();
    expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    expect(await failureOf(watch(provider))).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    isAllowed = true;
    expect(await probe(provider)).toBeUndefined();
    const recording = watch(provider);
    await recording.waitFor("an empty snapshot", () => recording.snapshots[0]);
    expect(idsOf(recording)).toEqual([]);
  });

  test("that is empty because the token may not read the nodes is rejected", async () => {
    // R1.4: the response of Consul 1.8 to a token with service "read" and without node "read".
    const answers: Readonly<Record<string, unknown>> = {
      "/v1/internal/acl/authorize": [{ Allow: true }],
      "/v1/catalog/services": { web: [] },
    };
    fake.handler = (request, response, next) => {
      const { pathname } = new URL(request.url ?? "", fake.address);
      if (!Object.hasOwn(answers, pathname)) return next();
      return response.writeHead(200, json).end(JSON.stringify(answers[pathname]));
    };
    fake.set([]);
    const provider = provide();
    expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    expect(await failureOf(watch(provider))).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
  });

  test("that is empty because every instance is unhealthy is accepted", async () => {
    const answers: Readonly<Record<string, unknown>> = {
      "/v1/internal/acl/authorize": [{ Allow: true }],
      "/v1/catalog/services": { web: [] },
    };
    fake.handler = (request, response, next) => {
      const { pathname, searchParams } = new URL(request.url ?? "", fake.address);
      const answer = searchParams.has("passing") ? [] : answers[pathname];
      if (answer === undefined) return next();
      return response.writeHead(200, json).end(JSON.stringify(answer));
    };
    const provider = provide();
    expect(await probe(provider)).toBeUndefined();
    const recording = watch(provider);
    await recording.waitFor("an empty snapshot", () => recording.snapshots[0]);
    expect(idsOf(recording)).toEqual([]);
  });

  test("with some entries over a limit and some malformed leads to a snapshot, with both counted", async () => {
    // C3 D2
    const long = toEntry({ id: "tag", host: "10.0.0.1", port: 80, tags: ["x".repeat(1_025)] });
    const malformed = toEntry({ id: "bad", host: "http://10.0.0.1", port: 80 });
    fake.set([...Array.from({ length: 1_100 }, (_, i) => entry(`node-${i}`)), long, malformed]);
    const recording = watch(provide());
    const snapshot = await recording.waitFor("a snapshot", () => recording.snapshots[0]);
    expect(snapshot.members.size).toBe(1_101);
    expect(snapshot.trimmed?.count).toBe(1);
    expect(snapshot.skipped?.count).toBe(1);
    expect(snapshot.skipped?.reasons[0]).toMatch(/^host: expected /);
  });

  test("with a new index but the same content leads to a heartbeat and no snapshot", async () => {
    const recording = watch(provide());
    await shows(recording, "a");
    await blocks(recording);
    fake.set(fake.entries);
    await recording.waitFor("a heartbeat", () => recording.events.find(({ type }) => type === "heartbeat"));
    expect(recording.snapshots).toHaveLength(1);
  });
});

describe("the index check", () => {
  test("confirms the snapshot with small responses while a blocking query waits", async () => {
    fake.set([...fake.entries, entry("b")]);
    const recording = watch(provide({ filter: 'Node.Node != "x"' }, 100));
    await recording.waitFor("three heartbeats", () => recording.events.length > 3 || undefined);
    const polls = fake.requests.filter((path) => path.includes("index="));
    expect(polls).toHaveLength(1);
    const check = fake.requests
      .map((path) => new URL(path, fake.address))
      .find(({ searchParams }) => searchParams.get("filter")?.includes("Service.ID"));
    expect(check?.searchParams.get("filter")).toBe('(Node.Node != "x") and Service.ID == ""');
    expect(check?.searchParams.get("passing")).toBe("1");
    recording.abort();
  });

  test("reports a dead connection when the blocking query does not return a change", async () => {
    const recording = watch(provide({}, 100));
    await shows(recording, "a");
    await blocks(recording);
    // The index advances, but the blocking query gets no response.
    fake.index++;
    expect(await failureOf(recording)).toMatchObject({ code: "STREAM_FAILED" });
  });

  test("waits for a change whose response takes long", async () => {
    const recording = watch(provide({}, 100));
    await shows(recording, "a");
    await blocks(recording);
    // From here on, the response to a blocking query starts, but does not end.
    const ends: (() => void)[] = [];
    fake.slow = (end) => void ends.push(end);
    fake.set([entry("a"), entry("b")]);
    // Longer than the limit for a connection without a response.
    await time.advance(1_500);
    expect(recording.outcome.kind).toBe("running");
    for (const end of ends) end();
    await shows(recording, "a", "b");
    recording.abort();
  });

  test("sends no heartbeat for a server that does not respond, and does not fail", async () => {
    const recording = watch(provide({}, 50));
    await shows(recording, "a");
    await blocks(recording);
    fake.isHanging = true;
    await time.advance(60);
    const before = recording.events.length;
    await time.advance(300);
    expect(recording.events.slice(before)).toEqual([]);
    expect(recording.outcome.kind).toBe("running");
    recording.abort();
  });

  test("a server that does not block does not receive requests without pauses", async () => {
    fake.handler = (request, response, next) => {
      if (request.url?.includes("index=") !== true) return next();
      response.writeHead(200, { "content-type": "application/json", "x-consul-index": String(fake.index) });
      return response.end(JSON.stringify(fake.entries));
    };
    const recording = watch(provide({ minGapMs: 20 }));
    await shows(recording, "a");
    await time.advance(600);
    recording.abort();
    const polls = fake.requests.filter((path) => path.includes("index=")).length;
    expect(polls).toBeGreaterThan(1);
    expect(polls).toBeLessThan(15);
  });
});

describe("addresses", () => {
  test("are tried in turn, and the one that responds stays in use", async () => {
    const refusing = await closedPort();
    const provider = provide({ addresses: [refusing, fake.address] });
    await shows(watch(provider), "a");
    const second = watch(provider);
    await shows(second, "a");
    expect(await probe(provider)).toBeUndefined();
  });

  test("that all fail lead to the error that explains most", async () => {
    const refusing = await closedPort();
    fake.handler = (_, response) => response.writeHead(500).end("No cluster leader");
    const provider = provide({ addresses: [refusing, fake.address] });
    expect(await failureOf(watch(provider))).toMatchObject({ code: "CONNECTIVITY_NO_LEADER" });
    expect(await probe(provide({ addresses: [refusing] }))).toMatchObject({ code: "CONNECTIVITY_REFUSED" });
  });

  // H8: Consul takes seven seconds to reject a read, which is longer than the time for one address.
  test.each([1, 2])(
    "that delay a read because they have no leader (%i) lead to CONNECTIVITY_NO_LEADER",
    async (count) => {
      const others = await Promise.all(Array.from({ length: count }, () => FakeConsul.listen()));
      for (const other of others) {
        open.push(other);
        other.handler = (request, response) => {
          if (request.url !== "/v1/status/leader") return;
          response.writeHead(200, { "content-type": "application/json" }).end('""');
        };
      }
      const addresses = others.map(({ address }) => address);
      expect(await failureOf(watch(provide({ addresses }, 100)))).toMatchObject({
        code: "CONNECTIVITY_NO_LEADER",
        details: { service: "web" },
      });
    },
  );

  test("share the time of a probe, so that one that hangs leaves time for the next", async () => {
    const hanging = await FakeConsul.listen();
    open.push(hanging);
    hanging.isHanging = true;
    const provider = provide({ addresses: [hanging.address, fake.address] }, 100);
    expect(await probe(provider)).toBeUndefined();
  });

  test("do not receive credentials that one of them rejected", async () => {
    const other = await FakeConsul.listen();
    open.push(other);
    fake.handler = (_, response) => response.writeHead(403).end("ACL not found");
    expect(await failureOf(watch(provide({ addresses: [fake.address, other.address] })))).toMatchObject({
      code: "CONNECTIVITY_UNKNOWN_TOKEN",
    });
    expect(other.requests).toEqual([]);
  });

  test("that accept a connection and never respond time out", async () => {
    // R5.6: a backend that accepts a connection and never responds.
    fake.isHanging = true;
    expect(await probe(provide({}, 100))).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    expect(await failureOf(watch(provide({}, 100)))).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
  });
});

describe("stale responses", () => {
  test("report their age; if it is too high, the leader is asked", async () => {
    fake.headers = { "x-consul-lastcontact": "300" };
    const recording = watch(provide({ consistency: "stale", maxStaleMs: 500 }));
    await shows(recording, "a");
    expect(recording.snapshots[0]?.stalenessMs).toBe(300);
    recording.abort();
    fake.requests.length = 0;
    await shows(watch(provide({ consistency: "stale", maxStaleMs: 200 })), "a");
    expect(fake.requests[1]).not.toContain("stale");
  });

  const lost = { "x-consul-knownleader": "false", "x-consul-lastcontact": "4142" };

  // R2.7 H1 H6: an agent with `discovery_max_stale` responds to default queries without its leader, too.
  test.each(["stale", "default"])(
    "with %s: of a server that has lost its leader are held, and lead to no heartbeat",
    async (consistency) => {
      const recording = watch(provide({ consistency }, 100));
      await shows(recording, "a");
      await blocks(recording);
      fake.headers = lost;
      const held = await recording.waitFor("a held event", () =>
        recording.events.find((event) => event.type === "held"),
      );
      expect(held.reason).toMatchObject({
        code: "STREAM_STALE",
        message: expect.stringContaining("4.1 s") as string,
        details: { address: fake.address, ageMs: 4_142, hasLeader: false },
      });
      const since = recording.events.length;
      await recording.waitFor("two more", () => recording.events.length >= since + 2 || undefined);
      expect(recording.events.slice(since).map(({ type }) => type)).not.toContain("heartbeat");
      // Changes in the meantime are shown, and marked.
      fake.set([entry("a"), entry("b")]);
      await shows(recording, "a", "b");
      expect(recording.events.findLast(({ type }) => type === "snapshot")).toMatchObject({
        held: { code: "STREAM_STALE" },
        snapshot: { stalenessMs: 4_142 },
      });
      // With a leader, the next index check leads to a heartbeat again.
      fake.headers = {};
      await recording.waitFor("a heartbeat", () =>
        recording.events.at(-1)?.type === "heartbeat" ? true : undefined,
      );
      recording.abort();
    },
  );

  test("are the first content of a new watch while no server has a leader", async () => {
    fake.headers = lost;
    const recording = watch(provide({ consistency: "stale" }));
    await shows(recording, "a");
    expect(recording.events[0]).toMatchObject({ type: "snapshot", held: { code: "STREAM_STALE" } });
    expect(await probe(provide({ consistency: "stale" }))).toMatchObject({ code: "CONNECTIVITY_NO_LEADER" });
    recording.abort();
  });

  test.each([
    ["older than maxStaleMs", { "x-consul-knownleader": "false", "x-consul-lastcontact": "60000" }, 30_000],
    ["of a server without recent contact to its leader", { "x-consul-lastcontact": "60000" }, 30_000],
    ["of an unknown age", { "x-consul-knownleader": "false", "x-consul-lastcontact": "" }, 86_400_000],
  ])("%s end the watch with STREAM_STALE", async (_, headers, maxStaleMs) => {
    const recording = watch(provide({ consistency: "stale", maxStaleMs }, 100));
    await shows(recording, "a");
    await blocks(recording);
    fake.headers = headers;
    expect(await failureOf(recording)).toMatchObject({
      code: "STREAM_STALE",
      details: { address: fake.address, service: "web", index: 11, maxStaleMs },
    });
  });

  test("of any age are held when any age is allowed", async () => {
    fake.headers = { "x-consul-knownleader": "false", "x-consul-lastcontact": "" };
    const recording = watch(provide({ consistency: "stale", maxStaleMs: "any" }, 100));
    await shows(recording, "a");
    await recording.waitFor("a held event", () => recording.events.find(({ type }) => type === "held"));
    recording.abort();
  });

  test("of one server are replaced by responses of another that has a leader", async () => {
    const other = await FakeConsul.listen();
    open.push(other);
    other.set([entry("b")], 50);
    fake.headers = lost;
    const addresses = [fake.address, other.address];
    const first = watch(provide({ consistency: "stale", addresses }));
    await shows(first, "b");
    expect(first.events[0]).not.toHaveProperty("held");
    // Also during a watch.
    fake.headers = {};
    const second = watch(provide({ consistency: "stale", addresses }, 100));
    await shows(second, "a");
    fake.headers = lost;
    await shows(second, "b");
    expect(second.outcome.kind).toBe("running");
    for (const each of [first, second]) each.abort();
  });

  test("of several servers without a leader lead to the newest content", async () => {
    const other = await FakeConsul.listen();
    open.push(other);
    other.headers = fake.headers = lost;
    other.set([entry("newer")], 50);
    for (const addresses of [
      [fake.address, other.address],
      [other.address, fake.address],
    ]) {
      const recording = watch(provide({ consistency: "stale", addresses }, 100));
      await shows(recording, "newer");
      // The watch waits for this server.
      other.set([entry("newer"), entry("still")]);
      await shows(recording, "newer", "still");
      other.set([entry("newer")]);
      recording.abort();
    }
  });

  test("of a cache on the way, or from the local view of a streaming agent, lead to no heartbeat", async () => {
    const recording = watch(provide({}, 200));
    await shows(recording, "a");
    await blocks(recording);
    fake.handler = (request, response, next) =>
      request.url?.includes("filter=") === true ? void response : next();
    fake.headers = { "x-consul-query-backend": "streaming" };
    const since = recording.events.length;
    fake.set(fake.entries);
    await blocks(recording);
    await time.advance(50);
    expect(recording.events.slice(since)).toEqual([]);
    recording.abort();
    fake.handler = undefined;
    fake.headers = { age: "30" };
    const cached = watch(provide({ addresses: [fake.address] }, 100));
    await shows(cached, "a");
    expect(cached.events[0]).toMatchObject({ held: { details: { ageMs: 30_000 } } });
    cached.abort();
  });
});

describe("a probe", () => {
  test("reports at once that there is no leader, although the server would delay a read", async () => {
    // R1.4
    fake.handler = (request, response) => {
      if (request.url !== "/v1/status/leader") return;
      response.writeHead(200, { "content-type": "application/json" }).end('""');
    };
    expect(await probe(provide())).toMatchObject({ code: "CONNECTIVITY_NO_LEADER" });
  });

  test("skips an address without a leader", async () => {
    const leaderless = await FakeConsul.listen();
    open.push(leaderless);
    leaderless.handler = (_, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end('""');
    expect(await probe(provide({ addresses: [leaderless.address, fake.address] }))).toBeUndefined();
  });

  test("succeeds when a proxy permits only the health API", async () => {
    fake.handler = (request, response, next) =>
      request.url?.startsWith("/v1/health/") === true ? next() : response.writeHead(404).end();
    expect(await probe(provide())).toBeUndefined();
  });

  test("leaves no connection open", async () => {
    expect(await probe(provide())).toBeUndefined();
    while ((await fake.connections()) > 0) await time.advance(1);
  });
});

test("disposal closes every connection, including idle ones", async () => {
  const provider = provide();
  const recording = watch(provider);
  await shows(recording, "a");
  await blocks(recording);
  expect(await fake.connections()).toBeGreaterThan(0);
  await provider[Symbol.asyncDispose]();
  while ((await fake.connections()) > 0) await time.advance(1);
});

test("a rotated token is used from the next request on; an error names a missing one", async () => {
  // R1.6
  using folder = new TemporaryFolder();
  const file = folder.at("token");
  const provider = provide({ token: { file } }, 200);
  expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_SECRET_UNAVAILABLE" });
  writeFileSync(file, "one\n");
  const recording = watch(provider);
  await shows(recording, "a");
  writeFileSync(file, "two\n");
  await recording.waitFor("a request with the new token", () => fake.tokens.includes("two") || undefined);
  expect(fake.tokens[0]).toBe("one");
  recording.abort();
});

function flood(response: Parameters<Handler>[1]): void {
  const write = (): void => {
    while (!response.destroyed && response.write(" ".repeat(1_024)));
    if (!response.destroyed) response.once("drain", write);
  };
  write();
}

/** Returns an address on which no server listens. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}
