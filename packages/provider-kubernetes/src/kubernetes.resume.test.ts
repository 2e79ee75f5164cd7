import { TemporaryFolder } from "@holdfast-apps/test-support";
import { CountingClock } from "@holdfast/testing";
import { systemClock, type Clock, type ClusterProvider } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { answer, FakeApiServer, pods, type Handler } from "../test/fake-api-server.ts";
import { failureOf, idsOf, waitForHeartbeats, waitForMembers, time, watch } from "../test/watched.ts";

const EXPIRED = { kind: "Status", code: 410, reason: "Expired" };

let fake: FakeApiServer;
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  fake = await FakeApiServer.listen();
  fake.secondMs = 400;
  open.push(fake);
  fake.put(pods("s1", "a"));
  fake.put(pods("s2", "b"));
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

function provide(
  params: Readonly<Record<string, unknown>> = {},
  clock: Clock = systemClock,
): ClusterProvider {
  const provider = createTestProvider({
    params: { server: fake.address, ...params },
    heartbeatMs: 1_000,
    clock,
  });
  open.push(provider);
  return provider;
}

const isWatch = (url: string | undefined): boolean => url?.includes("watch=1") === true;
const isCheck = ({ searchParams }: URL): boolean => searchParams.has("fieldSelector");
/** Returns the complete lists among the requests. */
const lists = (): number => fake.requests.filter((url) => !isWatch(url.search) && !isCheck(url)).length;
const checks = (): number => fake.requests.filter(isCheck).length;
const lastWatch = (): URL => fake.requests.findLast(({ search }) => isWatch(search))!;

async function isOpen(count = 1): Promise<void> {
  while (fake.watches < count) await time.advance(1);
}

/** Runs a watch until it has emitted both pods and failed because its connection was reset. */
async function watchBroken(provider: ClusterProvider): Promise<ReturnType<typeof watch>> {
  const recording = watch(provider);
  await waitForMembers(recording, "a", "b");
  await isOpen();
  fake.drop();
  expect((await failureOf(recording)).code).toBe("STREAM_FAILED");
  while (fake.openRequests > 0) await time.advance(1);
  return recording;
}

/** A handler that applies only to watches, until it is removed. */
function onWatch(handler: Handler): void {
  fake.handler = (request, response, next) =>
    isWatch(request.url) ? handler(request, response, next) : next();
}

describe("after a watch that failed, the next one", () => {
  test("continues from the last version without a list, and emits the current content first", async () => {
    const provider = provide();
    const before = await watchBroken(provider);
    fake.delete("s2");
    fake.put(pods("s3", "c"));
    fake.put(pods("s4", "d"));
    fake.delete("s4");
    const { version } = fake;
    const after = watch(provider);
    await waitForMembers(after, "a", "c");
    expect(after.events.map(({ type }) => type)).toEqual(["snapshot"]);
    expect(after.snapshots[0]).toMatchObject({ revision: String(version) });
    expect(after.snapshots[0]!.members.get("a")).toBe(before.snapshots[0]!.members.get("a"));
    expect(after.snapshots[0]!.observedAt).toBeGreaterThan(before.snapshots[0]!.observedAt);
    fake.put(pods("s1", "e"));
    await waitForMembers(after, "c", "e");
    await waitForHeartbeats(after, 1);
    expect(lists()).toBe(1);
    after.abort();
  });

  // H11
  test("does not emit members that disappeared in the meantime, for any settleMs", async () => {
    const provider = provide({ settleMs: 10_000 });
    await watchBroken(provider);
    fake.delete("s2");
    fake.put(pods("s3", "c"));
    const after = watch(provider);
    await waitForMembers(after, "a", "c");
    expect(after.events.map(({ type }) => type)).toEqual(["snapshot"]);
    // Members that disappear later are kept for settleMs.
    fake.delete("s3");
    fake.put(pods("s4", "d"));
    await waitForMembers(after, "a", "c", "d");
    after.abort();
  });

  test("continues from a bookmark, too", async () => {
    const provider = provide();
    fake.isIdle = true;
    const before = watch(provider);
    await waitForMembers(before, "a", "b");
    await isOpen();
    // The watch ends with a bookmark.
    fake.version = 500;
    await waitForHeartbeats(before, 1);
    await isOpen();
    fake.drop();
    await failureOf(before);
    const after = watch(provider);
    await waitForMembers(after, "a", "b");
    expect(lastWatch().searchParams.get("resourceVersion")).toBe("500");
    expect(lists()).toBe(1);
    after.abort();
  });

  test("asks a server without changes whether it has reached the version, and emits no snapshot before", async () => {
    fake.isIdle = true;
    const provider = provide();
    await watchBroken(provider);
    const after = watch(provider);
    await isOpen();
    expect(after.events).toEqual([]);
    await waitForMembers(after, "a", "b");
    expect([lists(), checks()]).toEqual([1, 1]);
    // There is no version in the request, so the response comes from storage.
    expect(Object.fromEntries(fake.requests.find(isCheck)!.searchParams)).toEqual({
      limit: "1",
      fieldSelector: "metadata.name=holdfast-none",
      labelSelector: "kubernetes.io/service-name=web",
    });
    fake.put(pods("s2", "c"));
    await waitForMembers(after, "a", "c");
    after.abort();
  });

  test("lists the content of a server that was restored from a backup and has an older version", async () => {
    const provider = provide();
    await watchBroken(provider);
    fake.restore(50, [pods("s1", "z")]);
    const after = watch(provider);
    await waitForMembers(after, "z");
    expect(after.events.map(({ type }) => type)).toEqual(["snapshot"]);
    expect([lists(), checks()]).toEqual([2, 1]);
    fake.put(pods("s2", "y"));
    await waitForMembers(after, "y", "z");
    after.abort();
  });

  test.each<[string, Handler]>([
    ["410 by HTTP", (_, response) => answer(response, 410, EXPIRED)],
    [
      "410 by an ERROR event",
      (_, response) =>
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(`${JSON.stringify({ type: "ERROR", object: EXPIRED })}\n`),
    ],
    ["400", (_, response) => answer(response, 400, {})],
    ["500", (_, response) => answer(response, 500, {})],
    ["504", (_, response) => answer(response, 504, {})],
  ])(
    "lists once after a %s, after a random part of a heartbeat, and emits no snapshot before",
    async (_, refuse) => {
      // R5.6: a Kubernetes `410 Gone`.
      const provider = provide();
      await watchBroken(provider);
      fake.put(pods("s2", "c"));
      onWatch((request, response, next) => {
        fake.handler = undefined;
        return refuse(request, response, next);
      });
      const startedAt = systemClock.monotonic();
      const after = watch(provider);
      await waitForMembers(after, "a", "c");
      // The random value in this test is 0.5. A timer may fire one millisecond early.
      expect(systemClock.monotonic() - startedAt).toBeGreaterThan(498);
      expect(after.snapshots).toHaveLength(1);
      expect([lists(), checks()]).toEqual([2, 0]);
      after.abort();
    },
  );

  test.each([401, 403, 429, 503])(
    "continues after a %i, which does not depend on the version",
    async (status) => {
      const provider = provide();
      await watchBroken(provider);
      fake.put(pods("s2", "c"));
      fake.handler = (_, response) => answer(response, status, {});
      for (let i = 0; i < 3; i++) {
        const failed = watch(provider);
        expect((await failureOf(failed)).details).toMatchObject({ status });
        expect(failed.events).toEqual([]);
      }
      fake.handler = undefined;
      const after = watch(provider);
      await waitForMembers(after, "a", "c");
      expect(lists()).toBe(1);
      after.abort();
    },
  );

  test("continues after the server had stopped responding", async () => {
    const provider = provide();
    const before = watch(provider);
    await waitForMembers(before, "a", "b");
    await isOpen();
    fake.isHanging = true;
    expect((await failureOf(before)).code).toBe("STREAM_SILENT");
    fake.put(pods("s2", "c"));
    fake.isHanging = false;
    const after = watch(provider);
    await waitForMembers(after, "a", "c");
    expect(lists()).toBe(1);
    after.abort();
  });

  test("lists after unreadable data", async () => {
    const provider = provide();
    const before = watch(provider);
    await waitForMembers(before, "a", "b");
    await isOpen();
    fake.write("what?\n");
    expect((await failureOf(before)).code).toBe("STREAM_INVALID_DATA");
    const after = watch(provider);
    await waitForMembers(after, "a", "b");
    expect(lists()).toBe(2);
    after.abort();
  });

  test("lists after an incomplete list", async () => {
    // A request on a connection that is closed before the response is repeated once: two lists, one of them repeated,
    // and two again.
    const provider = provide({ pageSize: 1 });
    fake.handler = (request, response, next) =>
      request.url?.includes("continue=") === true ? response.destroy() : next();
    await failureOf(watch(provider));
    fake.handler = undefined;
    const after = watch(provider);
    await waitForMembers(after, "a", "b");
    expect(fake.requests.filter(({ search }) => !isWatch(search))).toHaveLength(5);
    after.abort();
  });

  test("lists after the caller ended the watch", async () => {
    const provider = provide();
    const before = watch(provider);
    await waitForMembers(before, "a", "b");
    before.abort();
    await before.over;
    const after = watch(provider);
    await waitForMembers(after, "a", "b");
    expect(lists()).toBe(2);
    after.abort();
  });

  test("lists when the last confirmation by the server is five minutes old", async () => {
    let later = 0;
    const clock: Clock = {
      now: () => systemClock.now(),
      monotonic: () => systemClock.monotonic() + later,
      schedule: (delayMs, task) => systemClock.schedule(delayMs, task),
      yield: () => systemClock.yield(),
    };
    const provider = provide({}, clock);
    await watchBroken(provider);
    later = 290_000;
    await waitForMembers(watch(provider), "a", "b");
    expect(lists()).toBe(1);
    await isOpen();
    fake.drop();
    while (fake.openRequests > 0) await time.advance(1);
    later += 301_000;
    await waitForMembers(watch(provider), "a", "b");
    expect(lists()).toBe(2);
  });

  test("leaves no connection open when it is aborted before a confirmation", async () => {
    fake.isIdle = true;
    const clock = new CountingClock();
    const provider = provide({}, clock);
    await watchBroken(provider);
    const after = watch(provider);
    await isOpen();
    after.abort();
    await time.until(after.over, 100);
    expect(after.outcome).toEqual({ kind: "ended" });
    expect(clock.pendingTimers).toBe(0);
    while (fake.openRequests > 0) await time.advance(1);
  });
});

// H1
test("a server that serves watches from its cache, and cannot read its storage, leads to no snapshot and no heartbeat", async () => {
  const provider = provide();
  const before = watch(provider);
  await waitForMembers(before, "a", "b");
  await isOpen();
  fake.handler = ({ url }, response, next) =>
    url?.includes("watch=1") === true ? next() : answer(response, 500, { kind: "Status", code: 500 });
  const seen = before.events.length;
  expect(await failureOf(before)).toMatchObject({
    code: "STREAM_STALE",
    details: { server: fake.address, status: 500 },
  });
  expect(before.events.length).toBe(seen);
  const meanwhile = watch(provider);
  expect(await failureOf(meanwhile)).toMatchObject({ code: "STREAM_STALE" });
  expect(meanwhile.events).toEqual([]);
  fake.handler = undefined;
  const after = watch(provider);
  await waitForMembers(after, "a", "b");
  expect(lists()).toBe(1);
  after.abort();
});

test("concurrent watches share one list and one watch, and continue together after a failure", async () => {
  const provider = provide();
  const one = watch(provider);
  const other = watch(provider);
  for (const recording of [one, other]) await waitForMembers(recording, "a", "b");
  await isOpen();
  expect([lists(), fake.watches]).toEqual([1, 1]);
  fake.put(pods("s2", "c"));
  for (const recording of [one, other]) await waitForMembers(recording, "a", "c");
  fake.drop();
  await Promise.all([failureOf(one), failureOf(other)]);
  fake.put(pods("s2", "d"));
  const again = [watch(provider), watch(provider)];
  for (const recording of again) {
    await waitForMembers(recording, "a", "d");
    expect(recording.snapshots).toHaveLength(1);
  }
  expect(lists()).toBe(1);
  for (const recording of again) recording.abort();
});

describe("a kubeconfig that is replaced by that of another cluster", () => {
  let folder: TemporaryFolder;

  beforeEach(() => {
    folder = new TemporaryFolder();
  });
  afterEach(() => folder[Symbol.dispose]());

  function lead(server: string): void {
    const config = {
      clusters: [{ name: "c", cluster: { server } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    folder.write("config", config);
  }

  test.each(["during a watch", "after a watch that failed"])(
    "%s leads to a list of the other cluster, even if it has the same version",
    async (when) => {
      const other = await FakeApiServer.listen();
      open.push(other);
      other.secondMs = fake.secondMs;
      other.put(pods("s9", "z"));
      other.put(pods("s9", "z"));
      expect(other.version).toBe(fake.version);
      lead(fake.address);
      const provider = provide({ server: undefined, kubeconfig: { file: folder.at("config") } });
      let recording = watch(provider);
      await waitForMembers(recording, "a", "b");
      await isOpen();
      lead(other.address);
      if (when === "during a watch") fake.endWatches();
      else {
        fake.drop();
        await failureOf(recording);
        recording = watch(provider);
      }
      await waitForMembers(recording, "z");
      expect(idsOf(recording)).toEqual(["z"]);
      recording.abort();
    },
  );
});
