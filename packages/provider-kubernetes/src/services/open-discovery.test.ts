import { TemporaryFolder } from "@holdfast-apps/test-support";
import { CountingClock } from "@holdfast/testing";
import type { ServiceDiscovery } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../../test/create-test-provider.ts";
import { DiscoveryRecording } from "../../test/discovered.ts";
import { answer, FakeApiServer, pods, type Handler } from "../../test/fake-api-server.ts";
import { time, waitForMembers, watch } from "../../test/watched.ts";
import { kubernetes } from "../kubernetes.ts";

const LABELS = { holdfast: "yes" };
const EXPIRED = { kind: "Status", code: 410, reason: "Expired" };

let fake: FakeApiServer;
let clock: CountingClock;
let adapter = kubernetes.createAdapter();
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  fake = await FakeApiServer.listen();
  fake.secondMs = 80;
  open.push(fake);
  clock = new CountingClock();
  adapter = kubernetes.createAdapter();
  fake.putService("orders", LABELS);
  fake.putService("billing", LABELS);
  fake.putService("internal", { holdfast: "no" });
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

function discover(params: object = {}, heartbeatMs = 1_000): ServiceDiscovery {
  const { discovery } = adapter;
  const settings: unknown = discovery!.params.parse({
    server: fake.address,
    namespace: "default",
    selector: "holdfast=yes",
    ...params,
  });
  const created = discovery!.create(settings, { clock, random: () => 0.5, heartbeatMs });
  open.push(created);
  return created;
}

const isWatch = ({ searchParams }: URL): boolean => searchParams.has("watch");
const isCheck = ({ searchParams }: URL): boolean => searchParams.has("fieldSelector");
const lists = (): readonly URL[] => fake.requests.filter((url) => !isWatch(url) && !isCheck(url));

async function isOpen(): Promise<void> {
  while (fake.watches === 0) await time.advance(1);
}

// R7.2
describe("a discovery of Services", () => {
  test("reports those that match a label, sorted, with their namespace, and then every change", async () => {
    const recording = new DiscoveryRecording(discover());
    await recording.shows("billing", "orders");
    expect(recording.events).toEqual([
      {
        type: "services",
        services: [
          { name: "billing", values: { namespace: "default" } },
          { name: "orders", values: { namespace: "default" } },
        ],
      },
    ]);
    expect(adapter.discovery?.values).toEqual(["namespace"]);
    expect(lists()[0]?.pathname).toBe("/api/v1/namespaces/default/services");
    expect(lists()[0]?.searchParams.get("labelSelector")).toBe("holdfast=yes");
    fake.putService("catalog", LABELS);
    await recording.shows("billing", "catalog", "orders");
    fake.putService("internal", LABELS);
    await recording.shows("billing", "catalog", "internal", "orders");
    fake.putService("internal", {});
    await recording.shows("billing", "catalog", "orders");
    for (const name of ["orders", "billing", "catalog"]) fake.deleteService(name);
    await recording.shows();
    expect(lists()).toHaveLength(1);
    // What changes reported one after the other is not a loss of data.
    expect(recording.lists.every(({ isReset }) => isReset === undefined)).toBe(true);
    recording.abort();
    expect(await recording.over).toBeUndefined();
  });

  test("without a selector reports all Services, without aliases of host names", async () => {
    fake.putService("alias", LABELS, { type: "ExternalName", externalName: "db.example" });
    const recording = new DiscoveryRecording(discover({ selector: undefined }));
    await recording.shows("billing", "internal", "orders");
    expect(lists()[0]?.searchParams.has("labelSelector")).toBe(false);
    recording.abort();
  });

  test("reports Services of all namespaces, sorted by name and namespace", async () => {
    fake.services.set("twin", { metadata: { name: "orders", namespace: "a", labels: LABELS } });
    const recording = new DiscoveryRecording(discover({ namespace: undefined, allNamespaces: true }));
    await recording.shows("billing", "orders", "orders");
    expect(lists()[0]?.pathname).toBe("/api/v1/services");
    expect(recording.lists[0]?.services.map(({ values }) => values?.["namespace"])).toEqual([
      "default",
      "a",
      "default",
    ]);
    recording.abort();
  });

  test("sends heartbeats while the server can read its storage, and none when it cannot", async () => {
    // R2.7 H1
    const recording = new DiscoveryRecording(discover());
    await recording.until(() => recording.heartbeats >= 3, "three heartbeats");
    // A change of a Service that does not affect the result is not an event.
    fake.putService("orders", LABELS, { clusterIP: "10.0.0.9" });
    await recording.until(() => recording.heartbeats >= 5, "five heartbeats");
    expect(recording.lists).toHaveLength(1);
    fake.handler = ({ url }, response, next) =>
      url?.includes("watch=1") === true ? next() : answer(response, 500, { code: 500 });
    const { length } = recording.events;
    expect(await recording.failure()).toMatchObject({ code: "STREAM_STALE" });
    expect(recording.events).toHaveLength(length);
  });

  test.each<[string, string, Handler]>([
    ["403", "CONNECTIVITY_UNAUTHORIZED", (_, response) => answer(response, 403, {})],
    ["500", "CONNECTIVITY_UNAVAILABLE", (_, response) => answer(response, 500, {})],
    [
      "another kind of response",
      "STREAM_INVALID_DATA",
      (_, response) => answer(response, 200, { items: {} }),
    ],
    ["a reset", "STREAM_FAILED", (_, response) => void response.socket?.resetAndDestroy()],
  ])("throws for %s, and never reports it as an empty list", async (_, code, handler) => {
    fake.handler = handler;
    const discovery = discover();
    const recording = new DiscoveryRecording(discovery);
    const failure = await recording.failure();
    expect(failure.code).toBe(code);
    if (code === "CONNECTIVITY_UNAUTHORIZED")
      expect(failure.details).toMatchObject({ request: 'list services in namespace "default"' });
    expect(recording.events).toEqual([]);
    fake.handler = undefined;
    const again = new DiscoveryRecording(discovery);
    await again.shows("billing", "orders");
    expect(again.lists[0]?.isReset).toBeUndefined();
    again.abort();
  });

  test("lists again when the version has expired, and reports only the difference as a change", async () => {
    // R5.6: a Kubernetes `410 Gone`.
    const recording = new DiscoveryRecording(discover());
    await recording.shows("billing", "orders");
    await isOpen();
    fake.write(`${JSON.stringify({ type: "ERROR", object: EXPIRED })}\n`);
    await recording.until(() => lists().length === 2 && recording.heartbeats > 0, "another list");
    expect(recording.lists).toHaveLength(1);
    fake.isHanging = true;
    fake.deleteService("billing");
    fake.compact();
    fake.isHanging = false;
    fake.endWatches();
    await recording.shows("orders");
    expect(recording.lists.every(({ isReset }) => isReset === undefined)).toBe(true);
    recording.abort();
  });

  test("starts with the current list after an error, from the last version", async () => {
    const discovery = discover();
    const before = new DiscoveryRecording(discovery);
    await before.shows("billing", "orders");
    await isOpen();
    fake.drop();
    expect((await before.failure()).code).toBe("STREAM_FAILED");
    fake.deleteService("billing");
    const after = new DiscoveryRecording(discovery);
    await after.shows("orders");
    expect(after.lists).toEqual([{ type: "services", services: expect.anything() }]);
    expect(lists()).toHaveLength(1);
    after.abort();
  });
});

describe("a list is marked as one after a loss of data", () => {
  test("when the version of the server went back, while the discovery ran", async () => {
    fake.secondMs = 600;
    const discovery = discover();
    const recording = new DiscoveryRecording(discovery);
    await recording.shows("billing", "orders");
    await isOpen();
    fake.isIdle = true;
    fake.services.delete("billing");
    fake.rewind(50);
    await recording.shows("orders");
    expect(recording.lists.map(({ isReset }) => isReset)).toEqual([undefined, true]);
    // Only this list is marked.
    fake.putService("catalog", LABELS);
    await recording.shows("catalog", "orders");
    expect(recording.lists.at(-1)?.isReset).toBeUndefined();
    recording.abort();
    await recording.over;
    const again = new DiscoveryRecording(discovery);
    await again.shows("catalog", "orders");
    expect(again.lists[0]?.isReset).toBeUndefined();
    again.abort();
  });

  test("when the credentials refer to another server", async () => {
    const other = await FakeApiServer.listen();
    open.push(other);
    other.version = 1_000;
    other.putService("orders", LABELS);
    using folder = new TemporaryFolder();
    const lead = (server: string) =>
      folder.write("config", {
        clusters: [{ name: "c", cluster: { server } }],
        contexts: [{ name: "x", context: { cluster: "c" } }],
        "current-context": "x",
      });
    lead(fake.address);
    const recording = new DiscoveryRecording(
      discover({ server: undefined, kubeconfig: { file: folder.at("config") } }),
    );
    await recording.shows("billing", "orders");
    lead(other.address);
    await recording.shows("orders");
    expect(recording.lists.map(({ isReset }) => isReset)).toEqual([undefined, true]);
    recording.abort();
    await recording.over;
  });

  test("when the version of the server went back, while no discovery ran", async () => {
    const discovery = discover();
    const before = new DiscoveryRecording(discovery);
    await before.shows("billing", "orders");
    before.abort();
    await before.over;
    fake.restore(50, []);
    fake.putService("orders", LABELS);
    const after = new DiscoveryRecording(discovery);
    await after.shows("orders");
    expect(after.lists[0]?.isReset).toBe(true);
    after.abort();
  });

  test("when it lists nothing after a restart", async () => {
    const discovery = discover();
    const before = new DiscoveryRecording(discovery);
    await before.shows("billing", "orders");
    await isOpen();
    fake.services.clear();
    fake.version += 100;
    fake.restart();
    expect((await before.failure()).code).toBe("STREAM_FAILED");
    const after = new DiscoveryRecording(discovery);
    await after.shows();
    expect(after.lists[0]?.isReset).toBe(true);
    after.abort();
  });

  test("for each of several watches of one discovery", async () => {
    fake.secondMs = 600;
    const discovery = discover();
    const both = [new DiscoveryRecording(discovery), new DiscoveryRecording(discovery)];
    for (const each of both) await each.shows("billing", "orders");
    await isOpen();
    fake.isIdle = true;
    fake.rewind(50);
    for (const each of both)
      await each.until(() => each.lists.length === 2 && each.lists[1]?.isReset === true, "a marked list");
    expect(lists()).toHaveLength(2);
    for (const each of both) each.abort();
  });
});

describe("a discovery and the providers of its adapter", () => {
  test("share connections; the last of them closes them", async () => {
    fake.put(pods("web-1", "a"));
    const provider = createTestProvider({
      adapter,
      clock,
      heartbeatMs: 1_000,
      params: { server: fake.address },
    });
    open.push(provider);
    const watching = watch(provider);
    await waitForMembers(watching, "a");
    const discovery = discover();
    const recording = new DiscoveryRecording(discovery);
    await recording.shows("billing", "orders");
    // Two watches at the same time need two connections, and no more.
    await time.advance(300);
    expect(fake.accepted).toBeLessThanOrEqual(3);
    watching.abort();
    await provider[Symbol.asyncDispose]();
    fake.putService("catalog", LABELS);
    await recording.shows("billing", "catalog", "orders");
    await discovery[Symbol.asyncDispose]();
    expect(await recording.failure()).toMatchObject({ code: "LIFECYCLE_STOPPED" });
    while (fake.openRequests > 0) await time.advance(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("an abort leaves nothing open", async () => {
    const recording = new DiscoveryRecording(discover());
    await recording.shows("billing", "orders");
    await isOpen();
    recording.abort();
    expect(await recording.over).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
    while (fake.openRequests > 0) await time.advance(1);
  });
});

test.each([
  [{ namespace: "a", allNamespaces: true }],
  [{ service: "web" }],
  [{ token: { env: "T" } }],
  [{ selector: "" }],
  [{ kubeconfig: "text" }],
])("the parameters %j are rejected", (params) => {
  expect(adapter.discovery!.params.safeParse(params).success).toBe(false);
});
