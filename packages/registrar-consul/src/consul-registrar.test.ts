import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import {
  createClusterNode,
  systemClock,
  type ClusterNodeInput,
  type Reason,
  type Registration,
} from "@holdfast/core";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { VirtualClock } from "@holdfast/testing";
import { FakeConsulAgent } from "../test/fake-consul-agent.ts";
import type { ConsulRegistrarParams } from "./consul-registrar-params.ts";
import { consulRegistrar } from "./consul-registrar.ts";

const { signal } = new AbortController();
const node: ClusterNodeInput = { id: "a", host: "10.0.0.1", port: 7_001 };
const open: (Disposable | AsyncDisposable)[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed())
    await (Symbol.asyncDispose in each ? each[Symbol.asyncDispose]() : each[Symbol.dispose]());
});

async function startAgent(): Promise<{ readonly agent: FakeConsulAgent; readonly clock: VirtualClock }> {
  const clock = new VirtualClock();
  const agent = await FakeConsulAgent.listen(clock);
  open.push(agent);
  return { agent, clock };
}

function register(
  params: Omit<ConsulRegistrarParams, "service">,
  member: ClusterNodeInput = node,
): Registration {
  const registrar = consulRegistrar({ service: "orders", ttlMs: 1_000, ...params });
  const registration = registrar.open(createClusterNode(member), { clock: systemClock });
  open.push(registration);
  return registration;
}

// R8.4
describe("the requests of a Consul registrar", () => {
  test("register the service with all its fields, and the check", async () => {
    const { agent } = await startAgent();
    const member = { ...node, zone: "eu-1", weight: 7, tags: ["blue"], metadata: { rack: "r1" } };
    await register({ address: agent.address, deregisterAfterMs: 120_000 }, member).register({ signal });
    expect(agent.definition("a")).toEqual({
      ID: "a",
      Name: "orders",
      Address: "10.0.0.1",
      Port: 7_001,
      Tags: ["blue"],
      Meta: { rack: "r1", zone: "eu-1" },
      Weights: { Passing: 7, Warning: 1 },
      Check: {
        CheckID: "holdfast:ttl:a",
        Name: "announced by the process itself",
        TTL: "1000ms",
        DeregisterCriticalServiceAfter: "120000ms",
      },
    });
    expect(agent.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /v1/agent/checks",
      "PUT /v1/agent/service/register",
      "PUT /v1/agent/check/pass/holdfast:ttl:a",
    ]);
  });

  test("with an HTTP check, register it and never pass it", async () => {
    const { agent } = await startAgent();
    const check = { http: "http://10.0.0.1:8080/readyz", intervalMs: 3_000, timeoutMs: 1_000 };
    const registration = register({ address: agent.address, check });
    await registration.register({ signal });
    await registration.beat({ signal });
    expect(agent.definition("a")?.["Check"]).toMatchObject({
      CheckID: "holdfast:http:a",
      HTTP: check.http,
      Interval: "3000ms",
      Timeout: "1000ms",
    });
    expect(registration).toMatchObject({ beatMs: 3_000, ttlMs: undefined });
    expect(agent.requests.some(({ path }) => path.includes("/pass/"))).toBe(false);
  });

  test("have the token, the namespace and the partition, and read the token again", async () => {
    const { agent } = await startAgent();
    const folder = new TemporaryFolder();
    open.push(folder);
    const file = folder.write("token", "first\n");
    const registration = register({
      address: agent.address,
      token: { file },
      namespace: "team",
      partition: "eu",
    });
    await registration.register({ signal });
    writeFileSync(file, "second");
    await registration.beat({ signal });
    await registration.drain({ signal });
    await registration.leave({ signal });
    for (const { headers, query } of agent.requests) {
      expect(headers["x-consul-token"]).toMatch(/^(first|second)$/);
      expect([query.get("ns"), query.get("partition")]).toEqual(["team", "eu"]);
    }
    expect(agent.requests.at(-1)!.headers["x-consul-token"]).toBe("second");
  });

  test("reach every id that Consul can hold", async () => {
    const { agent } = await startAgent();
    for (const id of [
      "a/b",
      "a b",
      'q"uote',
      "back`tick",
      "back\\slash",
      "é🌊",
      "100%",
      "a?b#c",
      "a:b",
      "x".repeat(253),
    ]) {
      const registration = register({ address: agent.address }, { ...node, id });
      await registration.register({ signal });
      await registration.beat({ signal });
      expect(agent.passing.map((each) => each.id)).toEqual([id]);
      await registration.drain({ signal });
      expect(agent.passing).toEqual([]);
      await registration.register({ signal });
      expect(agent.passing).toHaveLength(1);
      await registration.leave({ signal });
      expect(agent.checkIds()).toEqual([]);
    }
  });

  test("leave no connection open", async () => {
    const { agent } = await startAgent();
    const registration = register({ address: agent.address });
    await registration.register({ signal });
    for (let beat = 0; beat < 20; beat++) await registration.beat({ signal });
    await expect.poll(() => agent.openSockets).toBe(0);
  });
});

// R8.4
describe("the maintenance mode", () => {
  test("that an earlier process set while it drained ends when this one registers", async () => {
    const { agent } = await startAgent();
    const first = register({ address: agent.address });
    await first.register({ signal });
    await first.drain({ signal });
    expect(agent.checkIds()).toEqual(["_service_maintenance:a", "holdfast:ttl:a"]);
    await register({ address: agent.address }).register({ signal });
    expect(agent.checkIds()).toEqual(["holdfast:ttl:a"]);
  });

  test("that an operator set is not ended by registering again", async () => {
    const { agent } = await startAgent();
    const registration = register({ address: agent.address });
    await registration.register({ signal });
    const set = `${agent.address}/v1/agent/service/maintenance/a?enable=true&reason=disk`;
    await fetch(set, { method: "PUT" });
    await registration.register({ signal });
    await registration.beat({ signal });
    expect(agent.passing).toEqual([]);
    expect(agent.checkIds()).toContain("_service_maintenance:a");
  });

  test("a check of another kind, from an earlier configuration, is removed", async () => {
    const { agent } = await startAgent();
    await register({ address: agent.address, check: { http: "http://127.0.0.1:1" } }).register({ signal });
    await register({ address: agent.address }).register({ signal });
    expect(agent.checkIds()).toEqual(["holdfast:ttl:a"]);
  });
});

async function startServer(onData: (server: Server) => void): Promise<string> {
  const server = createServer();
  onData(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({ [Symbol.dispose]: () => void server.close() });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts a server that responds to every request with these bytes, and closes the connection. */
function responding(...parts: readonly string[]): Promise<string> {
  return startServer((server) =>
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        for (const part of parts) socket.write(part);
        socket.end();
      });
    }),
  );
}

function failing(address: string): Promise<void> {
  return register({ address }).register({ signal });
}

describe("failures of an agent", () => {
  test.each(["{", "{}"])("a response that is cut off after %j is noticed at once", async (body) => {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    const address = await responding(head + body);
    await expect(failing(address)).rejects.toMatchObject({ code: "STREAM_FAILED", details: { address } });
  });

  test("a response that is reset in the middle is noticed at once", async () => {
    const address = await startServer((server) =>
      server.on("connection", (socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () =>
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", () => socket.resetAndDestroy()),
        );
      }),
    );
    await expect(failing(address)).rejects.toMatchObject({ code: "STREAM_FAILED" });
  });

  test("a connection that is closed before the response", async () => {
    await expect(failing(await responding())).rejects.toMatchObject({ code: "STREAM_FAILED" });
  });

  test("a response that is too long is not read to its end", async () => {
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    const address = await responding(head, ...Array.from({ length: 200 }, () => chunk));
    await expect(failing(address)).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      message: expect.stringContaining("longer than"),
    });
  });

  test.each([
    ["is not JSON", "application/json", "{"],
    ["is a list", "application/json", "[]"],
    ["is a text", "text/plain", "ok"],
    ["is a web page", "text/html", "<html>Log in</html>"],
  ])("a list of checks that %s", async (_, type, body) => {
    const address = await responding(
      `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
    await expect(failing(address)).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      message: expect.not.stringContaining("Log in"),
    });
  });

  test("bytes that are not HTTP", async () => {
    await expect(failing(await responding("SSH-2.0-OpenSSH\r\n"))).rejects.toMatchObject({
      code: "STREAM_FAILED",
    });
  });

  test("no agent, an unknown host, and TLS with a server that has none", async () => {
    const address = await responding("HTTP/1.1 400 Bad Request\r\n\r\n");
    await expect(failing("http://127.0.0.1:1")).rejects.toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    await expect(failing("http://[::1]:1")).rejects.toMatchObject({
      message: expect.stringContaining("at http://[::1]:1 refused the connection"),
    });
    await expect(failing("http://nowhere.invalid")).rejects.toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    await expect(failing(address.replace("http:", "https:"))).rejects.toMatchObject({
      code: "CONNECTIVITY_TLS",
    });
  });

  test("a token that cannot be read or sent is named and not quoted", async () => {
    const { agent } = await startAgent();
    const folder = new TemporaryFolder();
    open.push(folder);
    for (const [content, file] of [
      ["a\u0100secret", folder.at("odd")],
      [undefined, folder.at("missing")],
    ] as const) {
      if (content !== undefined) writeFileSync(file, content);
      const registering = register({ address: agent.address, token: { file } }).register({ signal });
      await expect(registering).rejects.toMatchObject({
        code: "CONNECTIVITY_SECRET_UNAVAILABLE",
        message: expect.not.stringContaining('secret"'),
        details: { file },
      });
    }
    expect(agent.requests).toEqual([]);
  });
});

function audit(address: string): readonly Reason[] | undefined {
  return register({ address, token: { env: "TOKEN" } }).audit?.();
}

describe("what is refused", () => {
  test.each([
    ["an id that paths cannot contain", { id: "a//b" }, "id"],
    ["an id of dots", { id: ".." }, "id"],
    ["an id with a leading slash", { id: "/a" }, "id"],
    ["an id with both quotes", { id: 'a"`' }, "id"],
    ["a weight of 0", { weight: 0 }, "weight"],
    ["a weight with a fraction", { weight: 1.5 }, "weight"],
    ["a metadata key with a dot", { metadata: { "a.b": "" } }, "metadata"],
    ["a long metadata value", { metadata: { a: "x".repeat(513) } }, "metadata.a"],
    ["a zone that differs from the metadata", { zone: "a", metadata: { zone: "b" } }, "metadata.zone"],
    [
      "too much metadata",
      { zone: "a", metadata: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, ""])) },
      "metadata",
    ],
  ])("%s", (_, change, path) => {
    expect(() => register({}, { ...node, ...change })).toThrow(
      expect.objectContaining({
        code: "VALIDATION_MALFORMED",
        details: { problems: [expect.objectContaining({ path })] },
      }),
    );
  });

  test("parameters that are malformed", () => {
    for (const params of [
      { address: "127.0.0.1:8500" },
      { address: "http://user:pass@127.0.0.1:8500" },
      { deregisterAfterMs: 59_999 },
      { check: { http: "/readyz" } },
      { zoneMeta: "a.b" },
    ]) {
      expect(() => register(params)).toThrow(expect.objectContaining({ code: "VALIDATION_MALFORMED" }));
    }
  });

  test("a token over plain HTTP to another machine is a warning", () => {
    expect(audit("http://10.0.0.9:8500")).toMatchObject([{ code: "CONNECTIVITY_INSECURE" }]);
    expect(audit("https://10.0.0.9:8501")).toEqual([]);
    expect(audit("http://127.0.0.1:8500")).toEqual([]);
    expect(audit("http://[::1]:8500")).toEqual([]);
  });
});
