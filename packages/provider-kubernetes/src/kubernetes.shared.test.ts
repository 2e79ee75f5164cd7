import { readFileSync } from "node:fs";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { CountingClock } from "@holdfast/testing";
import type { ClusterProvider } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { answer, FakeApiServer, podsOf, toSlice } from "../test/fake-api-server.ts";
import { failureOf, idsOf, waitForHeartbeats, probe, waitForMembers, time, watch } from "../test/watched.ts";
import { kubernetes } from "./kubernetes.ts";

const SERVICES = 30;
const LABEL = "kubernetes.io/service-name";
const names: readonly string[] = Array.from({ length: SERVICES }, (_, i) => `svc-${i}`);

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
  for (const name of names) fake.put(podsOf(name, `${name}-1`, `${name}-a`));
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

function provide(
  service: string,
  params: Readonly<Record<string, unknown>> = {},
  heartbeatMs = 1_000,
): ClusterProvider {
  const provider = createTestProvider({
    adapter,
    clock,
    heartbeatMs,
    params: { server: fake.address, service, ...params },
  });
  open.push(provider);
  return provider;
}

const isWatch = ({ searchParams }: URL): boolean => searchParams.has("watch");
const isCheck = ({ searchParams }: URL): boolean => searchParams.has("fieldSelector");
const lists = (): readonly URL[] => fake.requests.filter((url) => !isWatch(url) && !isCheck(url));
/** The label selectors of the lists, sorted, without those of further pages. */
const listed = (): readonly string[] =>
  lists()
    .filter(({ searchParams }) => !searchParams.has("continue"))
    .map(({ searchParams }) => searchParams.get("labelSelector") ?? "")
    .sort();

async function isOpen(count = 1): Promise<void> {
  while (fake.watches < count) await time.advance(1);
}

/** Opens a provider of each Service, and then watches all of them. */
async function watchAll() {
  const providers = names.map((name) => provide(name));
  const recordings = providers.map((provider) => watch(provider));
  await Promise.all(recordings.map((each, i) => waitForMembers(each, `svc-${i}-a`)));
  return { providers, recordings };
}

// R7.1
describe("providers of many Services of one namespace", () => {
  test("share one list, one watch and one connection, and each reports its own Service", async () => {
    const { recordings } = await watchAll();
    await isOpen();
    expect(listed()).toEqual([LABEL]);
    expect(fake.watches).toBe(1);
    fake.put(podsOf("svc-3", "svc-3-1", "svc-3-a", "svc-3-b"));
    fake.put(podsOf("svc-3", "svc-3-2", "svc-3-c"));
    await waitForMembers(recordings[3]!, "svc-3-a", "svc-3-b", "svc-3-c");
    fake.delete("svc-4-1");
    await recordings[4]!.waitFor("no members", () => (idsOf(recordings[4]!).length === 0 ? true : undefined));
    for (const [i, { snapshots }] of recordings.entries())
      expect(snapshots.length > 1, `provider ${i}`).toBe(i === 3 || i === 4);
    expect(fake.accepted).toBe(1);
  });

  test("get heartbeats from one check of the storage, and none when the storage cannot be read", async () => {
    // R2.7 H1
    const { recordings } = await watchAll();
    await Promise.all(recordings.map((each) => waitForHeartbeats(each, 2)));
    const checks = fake.requests.filter(isCheck).length;
    expect(checks).toBeLessThan(10);
    fake.handler = (request, response, next) =>
      request.url?.includes("watch=1") === true ? next() : answer(response, 500, { code: 500 });
    const before = recordings.map(({ events }) => events.length);
    const failures = await Promise.all(recordings.map(failureOf));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["STREAM_STALE"]));
    expect(recordings.map(({ events }) => events.length)).toEqual(before);
  });

  test("all get an error, and continue together from the last version, without a list", async () => {
    const { providers, recordings } = await watchAll();
    await isOpen();
    fake.drop();
    const failures = await Promise.all(recordings.map(failureOf));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["STREAM_FAILED"]));
    fake.put(podsOf("svc-7", "svc-7-1", "svc-7-b"));
    const watchesBefore = fake.requests.filter(isWatch).length;
    const again = providers.map((provider) => watch(provider));
    await Promise.all(again.map((each, i) => waitForMembers(each, i === 7 ? "svc-7-b" : `svc-${i}-a`)));
    for (const [i, { events, snapshots }] of again.entries()) {
      expect(events[0]?.type).toBe("snapshot");
      const same =
        snapshots[0]!.members.get(`svc-${i}-a`) === recordings[i]!.snapshots[0]!.members.get(`svc-${i}-a`);
      expect(same || i === 7).toBe(true);
    }
    expect(listed()).toHaveLength(1);
    expect(fake.requests.filter(isWatch).length - watchesBefore).toBe(1);
  });

  test("list again once when the version has expired, and none of them sees an empty snapshot", async () => {
    // R5.6: a Kubernetes `410 Gone`.
    const { recordings } = await watchAll();
    await isOpen();
    fake.isHanging = true;
    fake.put(podsOf("svc-7", "svc-7-1", "svc-7-b"));
    fake.delete("svc-8-1");
    fake.compact();
    fake.isHanging = false;
    fake.endWatches();
    await waitForMembers(recordings[7]!, "svc-7-b");
    await recordings[8]!.waitFor("no members", () => (idsOf(recordings[8]!).length === 0 ? true : undefined));
    expect(listed()).toHaveLength(2);
    for (const [i, { snapshots, outcome }] of recordings.entries()) {
      expect(outcome.kind).toBe("running");
      expect(snapshots).toHaveLength(i === 7 || i === 8 ? 2 : 1);
    }
  });

  test("a Service without slices has no members, whether or not the Service exists", async () => {
    const { recordings } = await watchAll();
    const none = watch(provide("missing"));
    await none.waitFor("a snapshot", () => none.snapshots[0]);
    expect(idsOf(none)).toEqual([]);
    fake.put(podsOf("missing", "missing-1", "m"));
    await waitForMembers(none, "m");
    expect(listed()).toHaveLength(1);
    expect(recordings.every(({ outcome }) => outcome.kind === "running")).toBe(true);
  });

  test("a slice whose label is changed moves from one Service to the other", async () => {
    const { recordings } = await watchAll();
    await isOpen();
    fake.put(podsOf("svc-2", "svc-1-1", "svc-1-a"));
    await waitForMembers(recordings[2]!, "svc-1-a", "svc-2-a");
    await recordings[1]!.waitFor("no members", () => (idsOf(recordings[1]!).length === 0 ? true : undefined));
    const { metadata: _, ...rest } = podsOf("svc-2", "svc-1-1", "svc-1-a");
    fake.put({ ...rest, metadata: { name: "svc-1-1", namespace: "default", labels: {} } });
    await waitForMembers(recordings[2]!, "svc-2-a");
  });

  test("an unreadable Service is an error of its provider alone", async () => {
    const { providers, recordings } = await watchAll();
    await isOpen();
    const { metadata, ...rest } = podsOf("svc-5", "svc-5-1", "svc-5-a");
    fake.put({ ...rest, metadata, ports: [{ name: "grpc", port: null }] });
    expect(await failureOf(recordings[5]!)).toMatchObject({ code: "STREAM_INVALID_DATA" });
    // The next watch of the provider gets the same content without a request.
    const again = watch(providers[5]!);
    expect(await failureOf(again)).toMatchObject({ code: "STREAM_INVALID_DATA" });
    fake.put(podsOf("svc-5", "svc-5-1", "svc-5-b"));
    // Events arrive in order, so the one before has arrived, too.
    fake.put(podsOf("svc-6", "svc-6-1", "svc-6-b"));
    await waitForMembers(recordings[6]!, "svc-6-b");
    await waitForMembers(watch(providers[5]!), "svc-5-b");
    expect(listed()).toHaveLength(1);
  });

  test("a Service with more endpoints than fit is an error of all, because the content is not complete", async () => {
    const { recordings } = await watchAll();
    await isOpen();
    const metadata = { name: "big", namespace: "default", resourceVersion: "999" };
    const object = { metadata, endpoints: Array.from({ length: 1_000_001 }, () => 0) };
    fake.write(`${JSON.stringify({ type: "ADDED", object })}\n`);
    const failures = await Promise.all(recordings.map(failureOf));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["STREAM_INVALID_DATA"]));
  });
});

describe("a user of a shared watch", () => {
  test("that joins later gets the current content at once, without a request", async () => {
    await watchAll();
    await isOpen();
    fake.put(podsOf("svc-1", "svc-1-1", "svc-1-x"));
    fake.put(podsOf("late", "late-1", "late-a"));
    const requests = fake.requests.length;
    const late = watch(provide("late"));
    await waitForMembers(late, "late-a");
    // The watch may have ended and been checked in the meantime.
    expect(lists().length).toBe(1);
    expect(fake.requests.slice(requests).filter((url) => !isWatch(url) && !isCheck(url))).toEqual([]);
    fake.put(podsOf("late", "late-1", "late-b"));
    await waitForMembers(late, "late-b");
  });

  test("that aborts leaves the others; the last one ends the watch, and nothing remains open", async () => {
    const { recordings } = await watchAll();
    await isOpen();
    for (const each of recordings.slice(1)) each.abort();
    await Promise.all(recordings.slice(1).map(({ over }) => over));
    fake.put(podsOf("svc-0", "svc-0-1", "svc-0-b"));
    await waitForMembers(recordings[0]!, "svc-0-b");
    recordings[0]!.abort();
    await recordings[0]!.over;
    expect(clock.pendingTimers).toBe(0);
    while (fake.openRequests > 0) await time.advance(1);
    expect(recordings.every(({ outcome }) => outcome.kind === "ended")).toBe(true);
  });

  test("that is disposed of leaves the others", async () => {
    const { providers, recordings } = await watchAll();
    await isOpen();
    await Promise.all(providers.slice(1).map((each) => each[Symbol.asyncDispose]()));
    expect((await failureOf(recordings[1]!)).code).toBe("LIFECYCLE_STOPPED");
    fake.put(podsOf("svc-0", "svc-0-1", "svc-0-b"));
    await waitForMembers(recordings[0]!, "svc-0-b");
    await waitForHeartbeats(recordings[0]!, 2);
    expect(listed()).toHaveLength(1);
  });

  test("that reads slowly delays no other, and then gets the newest content", async () => {
    const { recordings } = await watchAll();
    const { signal } = new AbortController();
    const slow = provide("svc-0").watch({ signal })[Symbol.asyncIterator]();
    await slow.next();
    for (let i = 0; i < 5; i++) {
      fake.put(podsOf("svc-0", "svc-0-1", `svc-0-${i}`));
      await waitForMembers(recordings[0]!, `svc-0-${i}`);
    }
    const next = await slow.next();
    expect(next.value).toMatchObject({ type: "snapshot" });
    const { value } = next;
    if (value?.type !== "snapshot") throw new Error("not a snapshot");
    expect(Array.from(value.snapshot.members, ({ id }) => id)).toEqual(["svc-0-4"]);
    await slow.return?.();
  });

  test("that needs heartbeats more often than the others gets them", async () => {
    const patient = watch(provide("svc-0", { watch: "namespace" }, 60_000));
    await waitForMembers(patient, "svc-0-a");
    await isOpen();
    // A watch request for the others alone would last 45 seconds of the server.
    const eager = watch(provide("svc-1", { watch: "namespace" }, 300));
    await waitForMembers(eager, "svc-1-a");
    await waitForHeartbeats(eager, 3);
    expect(lists()).toHaveLength(1);
    expect(patient.outcome.kind).toBe("running");
    expect(patient.snapshots).toHaveLength(1);
  });
});

describe("what is shared", () => {
  test.each([
    ["three Services", 3, {}, "service"],
    ["four Services", 4, {}, "namespace"],
    ["four Services with watch: service", 4, { watch: "service" }, "service"],
    ["one Service with watch: namespace", 1, { watch: "namespace" }, "namespace"],
  ])("%s", async (_, count, params, expected) => {
    const providers = names.slice(0, count).map((name) => provide(name, params));
    const recordings = providers.map((provider) => watch(provider));
    await Promise.all(recordings.map((each, i) => waitForMembers(each, `svc-${i}-a`)));
    const own = names.slice(0, count).map((name) => `${LABEL}=${name}`);
    expect(listed()).toEqual(expected === "namespace" ? [LABEL] : own.toSorted());
  });

  test("providers of one Service with different parameters share its watch, and each applies its own parameters", async () => {
    fake.put(
      toSlice("web-1", {
        ports: [
          { name: "http", port: 80 },
          { name: "grpc", port: 90 },
        ],
        endpoints: [
          { addresses: ["10.0.0.1"], targetRef: { name: "a" } },
          {
            addresses: ["10.0.0.2"],
            targetRef: { name: "b" },
            conditions: { ready: false, serving: true, terminating: true },
          },
        ],
      }),
    );
    const one = watch(provide("web", { port: "http" }));
    await waitForMembers(one, "a");
    const other = watch(provide("web", { port: "grpc", conditions: "serving" }));
    await waitForMembers(other, "a", "b");
    const address = watch(provide("web", { port: 90, nodeId: "address" }));
    await waitForMembers(address, "10.0.0.1:90");
    expect(one.snapshots[0]!.members.get("a")?.port).toBe(80);
    expect(other.snapshots[0]!.members.get("a")?.port).toBe(90);
    expect(listed()).toEqual([`${LABEL}=web`]);
  });

  test("providers with the same label selector share its watch; those of Services do not use it", async () => {
    const selected = ["app=web", "app=web", "app=api"].map((selector) =>
      watch(provide("", { service: undefined, selector })),
    );
    for (const each of selected) await each.waitFor("a snapshot", () => each.snapshots[0]);
    expect(listed()).toEqual(["app=api", "app=web"]);
  });

  test.each([
    ["another namespace", { namespace: "other" }],
    ["another reference to a token", { token: { env: "HOLDFAST_TEST_OTHER_TOKEN" } }],
    ["other limits", { maxBytes: 1_000_000 }],
  ])("not with %s", async (_, params) => {
    process.env["HOLDFAST_TEST_OTHER_TOKEN"] = "t";
    try {
      const one = watch(provide("svc-0", { watch: "namespace" }));
      const other = watch(provide("svc-0", { watch: "namespace", ...params }));
      await waitForMembers(one, "svc-0-a");
      await other.waitFor("a snapshot", () => other.snapshots[0]);
      expect(listed()).toEqual([LABEL, LABEL]);
      one.abort();
      other.abort();
      await Promise.all([one.over, other.over]);
    } finally {
      delete process.env["HOLDFAST_TEST_OTHER_TOKEN"];
    }
  });

  test("nothing with the providers of another adapter", async () => {
    const one = watch(provide("svc-0", { watch: "namespace" }));
    await waitForMembers(one, "svc-0-a");
    adapter = kubernetes.createAdapter();
    const other = watch(provide("svc-0", { watch: "namespace" }));
    await waitForMembers(other, "svc-0-a");
    expect(listed()).toHaveLength(2);
  });

  test("probes of many providers at the same time", async () => {
    const results = await Promise.all(names.map((name) => probe(provide(name))));
    expect(results.every((each) => each === undefined)).toBe(true);
    expect(fake.requests.length).toBeLessThanOrEqual(4);
    fake.handler = (_, response) => answer(response, 403, {});
    const refused = await Promise.all(names.map((name) => probe(provide(name))));
    for (const each of refused) expect(each).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
  });

  test("credentials: a plugin runs once for requests at the same time, also after they were rejected", async () => {
    using folder = new TemporaryFolder();
    const runs = () => readFileSync(folder.at("runs"), "utf8").length;
    const credential = {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "t" },
    };
    const script = `printf x >> ${folder.at("runs")}; echo '${JSON.stringify(credential)}'`;
    folder.write("config", {
      clusters: [{ name: "c", cluster: { server: fake.address } }],
      users: [
        { name: "u", user: { exec: { command: "sh", args: ["-c", script], interactiveMode: "Never" } } },
      ],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    });
    const kubeconfig = { file: folder.at("config") };
    const providers = names.map((name) => provide(name, { server: undefined, kubeconfig, watch: "service" }));
    const recordings = providers.map((provider) => watch(provider));
    await Promise.all(recordings.map((each, i) => waitForMembers(each, `svc-${i}-a`)));
    expect(runs()).toBe(1);
    fake.handler = (_, response) => answer(response, 401, {});
    await Promise.all(recordings.map(failureOf));
    fake.handler = undefined;
    const again = providers.map((provider) => watch(provider));
    await Promise.all(again.map((each, i) => waitForMembers(each, `svc-${i}-a`)));
    // Their requests are not all rejected at the same time, and the server rejected new credentials, too.
    expect(runs()).toBeLessThan(SERVICES / 2);
    for (const each of again) each.abort();
    await Promise.all(again.map(({ over }) => over));
  });

  test("connections, which the last provider closes", async () => {
    const { providers, recordings } = await watchAll();
    await isOpen();
    for (const each of recordings) each.abort();
    await Promise.all(recordings.map(({ over }) => over));
    await Promise.all(providers.map((each) => each[Symbol.asyncDispose]()));
    const before = fake.accepted;
    const next = watch(provide("svc-0"));
    await waitForMembers(next, "svc-0-a");
    expect(fake.accepted).toBe(before + 1);
  });
});
