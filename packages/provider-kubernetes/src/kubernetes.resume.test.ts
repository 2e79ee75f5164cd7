import { TemporaryFolder } from "@holdfast-apps/test-support";
import { CountingClock } from "@holdfast/testing";
import { systemClock, type Clock, type ClusterProvider } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { answer, FakeApiServer, pods, type Handler } from "../test/fake-api-server.ts";
import { failureOf, idsOf, lives, shows, time, watch } from "../test/watched.ts";

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
/** Whole ones. */
const lists = (): number => fake.requests.filter((url) => !isWatch(url.search) && !isCheck(url)).length;
const checks = (): number => fake.requests.filter(isCheck).length;
const lastWatch = (): URL => fake.requests.findLast(({ search }) => isWatch(search))!;

async function isOpen(count = 1): Promise<void> {
  while (fake.watches < count) await time.advance(1);
}

/** A watch that has shown both pods, and then failed as its connection was reset. */
async function watchBroken(provider: ClusterProvider): Promise<ReturnType<typeof watch>> {
  const recording = watch(provider);
  await shows(recording, "a", "b");
  await isOpen();
  fake.drop();
  expect((await failureOf(recording)).code).toBe("STREAM_FAILED");
  while (fake.openRequests > 0) await time.advance(1);
  return recording;
}

/** Answers watches alone, until it is taken away. */
function onWatch(handler: Handler): void {
  fake.handler = (request, response, next) =>
    isWatch(request.url) ? handler(request, response, next) : next();
}

describe("after a watch that failed, the next one", () => {
  test("goes on from the version it had come to: no list, and the current content first", async () => {
    const provider = provide();
    const before = await watchBroken(provider);
    fake.delete("s2");
    fake.put(pods("s3", "c"));
    fake.put(pods("s4", "d"));
    fake.delete("s4");
    const { version } = fake;
    const after = watch(provider);
    await shows(after, "a", "c");
    expect(after.events.map(({ type }) => type)).toEqual(["snapshot"]);
    expect(after.snapshots[0]).toMatchObject({ revision: String(version) });
    expect(after.snapshots[0]!.members.get("a")).toBe(before.snapshots[0]!.members.get("a"));
    expect(after.snapshots[0]!.observedAt).toBeGreaterThan(before.snapshots[0]!.observedAt);
    fake.put(pods("s1", "e"));
    await shows(after, "c", "e");
    await lives(after, 1);
    expect(lists()).toBe(1);
    after.abort();
  });

  // H11
  test("shows no member in its first snapshot that vanished meanwhile, whatever settleMs is", async () => {
    const provider = provide({ settleMs: 10_000 });
    await watchBroken(provider);
    fake.delete("s2");
    fake.put(pods("s3", "c"));
    const after = watch(provider);
    await shows(after, "a", "c");
    expect(after.events.map(({ type }) => type)).toEqual(["snapshot"]);
    // Later ones are kept.
    fake.delete("s3");
    fake.put(pods("s4", "d"));
    await shows(after, "a", "c", "d");
    after.abort();
  });

  test("goes on from a bookmark, too", async () => {
    const provider = provide();
    fake.isIdle = true;
    const before = watch(provider);
    await shows(before, "a", "b");
    await isOpen();
    // It ends with a bookmark.
    fake.version = 500;
    await lives(before, 1);
    await isOpen();
    fake.drop();
    await failureOf(before);
    const after = watch(provider);
    await shows(after, "a", "b");
    expect(lastWatch().searchParams.get("resourceVersion")).toBe("500");
    expect(lists()).toBe(1);
    after.abort();
  });

  test("asks a server that has nothing to tell whether it has come as far, and shows nothing before", async () => {
    fake.isIdle = true;
    const provider = provide();
    await watchBroken(provider);
    const after = watch(provider);
    await isOpen();
    expect(after.events).toEqual([]);
    await shows(after, "a", "b");
    expect([lists(), checks()]).toEqual([1, 1]);
    // No version: the answer comes from storage.
    expect(Object.fromEntries(fake.requests.find(isCheck)!.searchParams)).toEqual({
      limit: "1",
      fieldSelector: "metadata.name=holdfast-none",
      labelSelector: "kubernetes.io/service-name=web",
    });
    fake.put(pods("s2", "c"));
    await shows(after, "a", "c");
    after.abort();
  });

  test("lists what a server restored from a backup has, whose version is older", async () => {
    const provider = provide();
    await watchBroken(provider);
    fake.restore(50, [pods("s1", "z")]);
    const after = watch(provider);
    await shows(after, "z");
    expect(after.events.map(({ type }) => type)).toEqual(["snapshot"]);
    expect([lists(), checks()]).toEqual([2, 1]);
    fake.put(pods("s2", "y"));
    await shows(after, "y", "z");
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
    "lists after a %s, once, after a random part of a heartbeat, and shows nothing before",
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
      await shows(after, "a", "c");
      // The test's chance is 0.5. A timer may be a millisecond early.
      expect(systemClock.monotonic() - startedAt).toBeGreaterThan(498);
      expect(after.snapshots).toHaveLength(1);
      expect([lists(), checks()]).toEqual([2, 0]);
      after.abort();
    },
  );

  test.each([401, 403, 429, 503])(
    "still goes on after a %i, which says nothing about the version",
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
      await shows(after, "a", "c");
      expect(lists()).toBe(1);
      after.abort();
    },
  );

  test("goes on after the server had fallen silent", async () => {
    const provider = provide();
    const before = watch(provider);
    await shows(before, "a", "b");
    await isOpen();
    fake.isHanging = true;
    expect((await failureOf(before)).code).toBe("STREAM_SILENT");
    fake.put(pods("s2", "c"));
    fake.isHanging = false;
    const after = watch(provider);
    await shows(after, "a", "c");
    expect(lists()).toBe(1);
    after.abort();
  });

  test("lists after data that could not be read", async () => {
    const provider = provide();
    const before = watch(provider);
    await shows(before, "a", "b");
    await isOpen();
    fake.write("what?\n");
    expect((await failureOf(before)).code).toBe("STREAM_INVALID_DATA");
    const after = watch(provider);
    await shows(after, "a", "b");
    expect(lists()).toBe(2);
    after.abort();
  });

  test("lists after a list that was not whole", async () => {
    // A connection that is closed before the answer is asked once more: two lists, one repeated, and two again.
    const provider = provide({ pageSize: 1 });
    fake.handler = (request, response, next) =>
      request.url?.includes("continue=") === true ? response.destroy() : next();
    await failureOf(watch(provider));
    fake.handler = undefined;
    const after = watch(provider);
    await shows(after, "a", "b");
    expect(fake.requests.filter(({ search }) => !isWatch(search))).toHaveLength(5);
    after.abort();
  });

  test("lists when it was the caller that ended it", async () => {
    const provider = provide();
    const before = watch(provider);
    await shows(before, "a", "b");
    before.abort();
    await before.over;
    const after = watch(provider);
    await shows(after, "a", "b");
    expect(lists()).toBe(2);
    after.abort();
  });

  test("lists when the server has confirmed nothing for five minutes", async () => {
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
    await shows(watch(provider), "a", "b");
    expect(lists()).toBe(1);
    await isOpen();
    fake.drop();
    while (fake.openRequests > 0) await time.advance(1);
    later += 301_000;
    await shows(watch(provider), "a", "b");
    expect(lists()).toBe(2);
  });

  test("aborted before the server has confirmed anything leaves nothing open", async () => {
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
test("a server that answers watches from its cache, and cannot read its storage, shows nothing and gives no sign of life", async () => {
  const provider = provide();
  const before = watch(provider);
  await shows(before, "a", "b");
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
  await shows(after, "a", "b");
  expect(lists()).toBe(1);
  after.abort();
});

test("watches beside each other go their own ways, and what they had come to is listed again", async () => {
  const provider = provide();
  const one = watch(provider);
  const other = watch(provider);
  for (const recording of [one, other]) await shows(recording, "a", "b");
  await isOpen(2);
  expect(lists()).toBe(2);
  fake.put(pods("s2", "c"));
  for (const recording of [one, other]) await shows(recording, "a", "c");
  fake.drop();
  await Promise.all([failureOf(one), failureOf(other)]);
  fake.put(pods("s2", "d"));
  const again = [watch(provider), watch(provider)];
  for (const recording of again) {
    await shows(recording, "a", "d");
    expect(recording.snapshots).toHaveLength(1);
  }
  expect(lists()).toBe(4);
  for (const recording of again) recording.abort();
});

describe("a kubeconfig that is replaced by another cluster's", () => {
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

  test.each(["while it is watched", "after a watch that failed"])(
    "%s: that one's slices are listed, though it knows the version, too",
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
      await shows(recording, "a", "b");
      await isOpen();
      lead(other.address);
      if (when === "while it is watched") fake.endWatches();
      else {
        fake.drop();
        await failureOf(recording);
        recording = watch(provider);
      }
      await shows(recording, "z");
      expect(idsOf(recording)).toEqual(["z"]);
      recording.abort();
    },
  );
});
