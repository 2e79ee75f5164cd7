import { createRealTime } from "@holdfast/conformance";
import {
  isProvisioningError,
  type DiscoveryEvent,
  type ProvisioningError,
  type ServiceDiscovery,
} from "@holdfast/core";
import { CountingClock } from "@holdfast/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeConsul, toEntry, type Handler } from "../../test/fake-consul.ts";
import { consul } from "../consul.ts";

const time = createRealTime();

let fake: FakeConsul;
let clock: CountingClock;
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  fake = await FakeConsul.listen();
  open.push(fake);
  clock = new CountingClock();
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

function register(name: string, ...tags: readonly string[]): void {
  fake.setService(name, [toEntry({ id: name, host: "10.0.0.1", port: 80, tags })]);
}

function discover(params: Readonly<Record<string, unknown>> = {}, heartbeatMs = 5_000): ServiceDiscovery {
  const { discovery } = consul.createAdapter();
  const settings: unknown = discovery!.params.parse({
    addresses: [fake.address],
    tag: "holdfast",
    ...params,
  });
  const created = discovery!.create(settings, { clock, random: () => 0.5, heartbeatMs });
  open.push(created);
  return created;
}

interface Recording {
  readonly events: readonly DiscoveryEvent[];
  /** The error with which the watch ended; undefined when it ended without one. */
  readonly over: Promise<ProvisioningError | undefined>;
  abort(): void;
  until(isTrue: () => boolean): Promise<void>;
}

function watch(discovery: ServiceDiscovery): Recording {
  const events: DiscoveryEvent[] = [];
  const stop = new AbortController();
  const read = async () => {
    try {
      for await (const event of discovery.services({ signal: stop.signal })) events.push(event);
      return undefined;
    } catch (error) {
      if (isProvisioningError(error)) return error;
      throw error;
    }
  };
  return {
    events,
    over: read(),
    abort: () => stop.abort(),
    until: (isTrue) =>
      time.until(
        (async () => {
          while (!isTrue()) await time.advance(2);
        })(),
        5_000,
      ),
  };
}

const namesOf = (event: DiscoveryEvent | undefined) =>
  event?.type === "services" ? event.services.map(({ name }) => name).join() : undefined;

async function lists(recording: Recording, names: string): Promise<DiscoveryEvent | undefined> {
  const find = () => recording.events.findLast(({ type }) => type === "services");
  await recording.until(() => namesOf(find()) === names);
  return find();
}

describe("the discovery of the services with a tag", () => {
  // R7.2
  test("lists them sorted, and then every change", async () => {
    register("orders", "holdfast");
    register("billing", "v1", "holdfast");
    register("other", "v1");
    register("untagged");
    const recording = watch(discover());
    expect(await lists(recording, "billing,orders")).toEqual({
      type: "services",
      services: [{ name: "billing" }, { name: "orders" }],
    });
    register("cart", "holdfast");
    await lists(recording, "billing,cart,orders");
    register("orders", "v2");
    await lists(recording, "billing,cart");
    fake.removeService("billing");
    await lists(recording, "cart");
    fake.removeService("cart");
    await lists(recording, "");
    expect(recording.events.every((event) => event.type !== "services" || event.isReset === undefined)).toBe(
      true,
    );
    recording.abort();
    expect(await recording.over).toBeUndefined();
  });

  test("finds only those with the prefix", async () => {
    for (const name of ["shop-orders", "shop-cart", "orders"]) register(name, "holdfast");
    const recording = watch(discover({ prefix: "shop-" }));
    await lists(recording, "shop-cart,shop-orders");
    recording.abort();
  });

  test("sends a heartbeat in every interval, none for a change of other services, and none without a response", async () => {
    register("orders", "holdfast");
    const recording = watch(discover({}, 200));
    await lists(recording, "orders");
    const heartbeats = () => recording.events.filter(({ type }) => type === "heartbeat").length;
    await recording.until(() => heartbeats() >= 3);
    register("other");
    register("other", "v1");
    await recording.until(() => heartbeats() >= 5);
    expect(recording.events.filter(({ type }) => type === "services")).toHaveLength(1);
    fake.isHanging = true;
    await time.advance(100);
    const before = recording.events.length;
    await time.advance(500);
    expect(recording.events).toHaveLength(before);
    recording.abort();
  });

  test("a response without a leader is no heartbeat, and a list from it is not the last word", async () => {
    // R2.7
    register("orders", "holdfast");
    const recording = watch(discover({ consistency: "stale" }, 200));
    await lists(recording, "orders");
    fake.headers = { "x-consul-knownleader": "false", "x-consul-lastcontact": "4142" };
    await time.advance(150);
    const since = recording.events.length;
    await time.advance(500);
    expect(recording.events.slice(since)).toEqual([]);
    fake.removeService("orders");
    expect(await lists(recording, "")).toMatchObject({ isReset: true });
    fake.headers = {};
    await recording.until(() => recording.events.at(-1)?.type === "heartbeat");
    recording.abort();
  });

  test("an index that goes backwards is an error, and the next list is marked as the first one after a reset", async () => {
    for (const name of ["orders", "billing"]) register(name, "holdfast");
    const discovery = discover({}, 200);
    const before = watch(discovery);
    await lists(before, "billing,orders");
    fake.forget(3);
    expect(await before.over).toMatchObject({
      code: "STREAM_INDEX_ROLLBACK",
      details: { tag: "holdfast", after: 3 },
    });
    register("billing", "holdfast");
    const after = watch(discovery);
    expect(await lists(after, "billing")).toMatchObject({ isReset: true });
    register("cart", "holdfast");
    expect(await lists(after, "billing,cart")).not.toHaveProperty("isReset");
    after.abort();
    const later = watch(discovery);
    expect(await lists(later, "billing,cart")).not.toHaveProperty("isReset");
    later.abort();
  });

  const json = { "content-type": "application/json", "x-consul-index": "99" };
  test.each<[string, string, Handler]>([
    ["that is not JSON", "STREAM_INVALID_DATA", (_, r) => r.writeHead(200, json).end("{")],
    ["that is an array", "STREAM_INVALID_DATA", (_, r) => r.writeHead(200, json).end("[]")],
    ["that is null", "STREAM_INVALID_DATA", (_, r) => r.writeHead(200, json).end("null")],
    [
      "that is a page",
      "STREAM_INVALID_DATA",
      (_, r) => r.writeHead(200, { "content-type": "text/html" }).end("{}"),
    ],
    ["with 403", "CONNECTIVITY_UNAUTHORIZED", (_, r) => r.writeHead(403).end("Permission denied")],
    ["without a leader", "CONNECTIVITY_NO_LEADER", (_, r) => r.writeHead(500).end("No cluster leader")],
    [
      "without an index",
      "STREAM_INDEX_ROLLBACK",
      (_, r) => r.writeHead(200, { "content-type": "application/json" }).end("{}"),
    ],
  ])("a response %s is the error %s, and never an empty list", async (_, code, handler) => {
    register("orders", "holdfast");
    const discovery = discover();
    const recording = watch(discovery);
    await lists(recording, "orders");
    fake.handler = handler;
    fake.drop();
    expect((await recording.over)?.code).toMatch(/^(CONNECTIVITY|STREAM)_/);
    const again = watch(discovery);
    expect(await again.over).toMatchObject({ code, details: { tag: "holdfast" } });
    expect([...recording.events, ...again.events].filter(({ type }) => type === "services")).toHaveLength(1);
  });

  test("ignores what is malformed, and is not confused by any name", async () => {
    fake.handler = (_, response) =>
      response
        .writeHead(200, json)
        .end(
          '{"a":null,"b":"holdfast","c":{"holdfast":1},"__proto__":["holdfast"],"constructor":["holdfast",7]}',
        );
    const recording = watch(discover());
    await lists(recording, "__proto__,constructor");
    recording.abort();
  });

  test("more than 100,000 services are an error", async () => {
    const catalog = Object.fromEntries(Array.from({ length: 100_001 }, (_, i) => [`s${i}`, []]));
    fake.handler = (_, response) => response.writeHead(200, json).end(JSON.stringify(catalog));
    expect(await watch(discover()).over).toMatchObject({ code: "STREAM_INVALID_DATA" });
  });
});

/** Permits to read services with these prefixes. Returns the segments about which Consul is asked. */
function permit(...prefixes: readonly string[]): readonly string[] {
  const asked: string[] = [];
  fake.isReadable = (name) => prefixes.some((prefix) => name.startsWith(prefix));
  fake.handler = (request, response, next) => {
    if (request.url?.startsWith("/v1/internal/acl/authorize") !== true) return next();
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const [{ Segment }] = JSON.parse(body) as [{ Segment: string }];
      asked.push(Segment);
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify([{ Allow: fake.isReadable(Segment) }]));
    });
  };
  return asked;
}

describe("a token", () => {
  test("that may not read any service is an error, not an empty list", async () => {
    register("orders", "holdfast");
    permit();
    expect(await watch(discover()).over).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
  });

  test("that may read some of the services is an error, because others would look as if they did not exist", async () => {
    for (const name of ["orders", "shop-cart"]) register(name, "holdfast");
    permit("shop-");
    expect(await watch(discover()).over).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      message: expect.stringContaining("may not read all services") as string,
    });
  });

  test.each([true, false])(
    "that may read all with the prefix is sufficient (marked responses: %j)",
    async (isMarked) => {
      for (const name of ["orders", "shop-cart"]) register(name, "holdfast");
      const asked = permit("shop-");
      // Consul before 1.11 does not mark responses.
      if (isMarked) fake.headers = { "x-consul-results-filtered-by-acls": "true" };
      const recording = watch(discover({ prefix: "shop-" }, 200));
      await lists(recording, "shop-cart");
      await recording.until(() => recording.events.some(({ type }) => type === "heartbeat"));
      expect(new Set(asked)).toEqual(new Set(["shop-"]));
      recording.abort();
    },
  );

  test("that loses a permission ends the watch, and removes nothing", async () => {
    for (const name of ["orders", "billing"]) register(name, "holdfast");
    permit("");
    const recording = watch(discover());
    await lists(recording, "billing,orders");
    permit("bill");
    register("cart", "holdfast");
    expect(await recording.over).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    expect(recording.events.map(namesOf)).toEqual(["billing,orders"]);
  });

  test("a marked response is an error when Consul does not answer the question", async () => {
    register("orders", "holdfast");
    fake.headers = { "x-consul-results-filtered-by-acls": "true" };
    expect(await watch(discover()).over).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
  });
});

test("a discovery shares the agent with the providers, and leaves nothing behind", async () => {
  register("orders", "holdfast");
  const adapter = consul.createAdapter();
  const context = { clock, random: () => 0.5, heartbeatMs: 5_000 };
  const settings: unknown = adapter.discovery!.params.parse({ addresses: [fake.address], tag: "holdfast" });
  const discovery = adapter.discovery!.create(settings, context);
  const recording = watch(discovery);
  await lists(recording, "orders");
  const params = adapter.params.parse({ addresses: [fake.address], service: "orders" });
  const provider = adapter.create({ id: "orders", kind: "consul", priority: 1, params }, context);
  const { signal } = new AbortController();
  await provider.probe({ signal });
  // The connection of the first list and that of the blocking query.
  expect(await fake.connections()).toBeLessThanOrEqual(2);
  await provider[Symbol.asyncDispose]();
  await discovery[Symbol.asyncDispose]();
  expect(await recording.over).toMatchObject({ code: "LIFECYCLE_STOPPED" });
  await recording.until(() => clock.pendingTimers === 0 && fake.openRequests === 0);
  while ((await fake.connections()) > 0) await time.advance(1);
});
