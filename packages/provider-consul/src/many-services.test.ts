import { createRealTime, WatchRecording } from "@holdfast/conformance";
import { isProvisioningError, systemClock, type ClusterProvider } from "@holdfast/core";
import { CountingClock } from "@holdfast/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestProvider } from "../test/create-test-provider.ts";
import { FakeConsul, toEntry } from "../test/fake-consul.ts";
import { consul } from "./consul.ts";

const time = createRealTime();
const LIMIT = 8;
/** The number of turns, and of other requests, at the same time. */
const OTHERS = 4;
const entry = (id: string) => toEntry({ id, host: "10.0.0.1", port: 80 });

let fake: FakeConsul;
let clock: CountingClock;
let adapter: ReturnType<typeof consul.createAdapter>;
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  fake = await FakeConsul.listen();
  open.push(fake);
  clock = new CountingClock();
  adapter = consul.createAdapter();
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  // Watches that were aborted end a little later.
  await eventually(() => clock.pendingTimers === 0);
});

async function eventually(isTrue: () => boolean): Promise<void> {
  const wait = async () => {
    while (!isTrue()) await time.advance(5);
  };
  await time.until(wait(), 5_000);
}

function delay(ms: number, next: () => void): void {
  systemClock.schedule(ms, next);
}

const nameOf = (i: number) => `service-${i}`;

function provide(
  service: string,
  more: Readonly<Record<string, unknown>> = {},
  heartbeatMs = 500,
): ClusterProvider {
  const params = {
    ...(more["addresses"] === undefined && { addresses: [fake.address] }),
    service,
    maxBlockingQueries: LIMIT,
    ...more,
  };
  const provider = createTestProvider({ adapter, clock, heartbeatMs, params });
  open.push(provider);
  return provider;
}

function watch(provider: ClusterProvider): WatchRecording {
  return new WatchRecording({ provider, time, patienceMs: 10_000 });
}

/** Registers services with one instance each and watches them. */
function watchAll(count: number): readonly WatchRecording[] {
  for (let i = 0; i < count; i++) fake.setService(nameOf(i), [entry("a")]);
  return Array.from({ length: count }, (_, i) => watch(provide(nameOf(i))));
}

const idsOf = ({ snapshots }: WatchRecording) => Array.from(snapshots.at(-1)?.members ?? [], ({ id }) => id);

async function shows(recording: WatchRecording, ...ids: readonly string[]): Promise<void> {
  await recording.waitFor(`the members ${ids.join()}`, () =>
    idsOf(recording).join() === ids.join() ? true : undefined,
  );
}

async function codeOf(recording: WatchRecording): Promise<string> {
  await time.until(recording.over, 10_000);
  const { outcome } = recording;
  return outcome.kind === "failed" && isProvisioningError(outcome.error) ? outcome.error.code : outcome.kind;
}

const isTurn = (path: string) => path.includes("filter=") && path.includes("index=");
const isOwn = (path: string) =>
  !path.includes("filter=") && path.includes("index=") && path.includes("wait=50000ms");

describe("more services than blocking queries", () => {
  // R7.1 R2.1
  test("are all shown, and every change of any of them, with a bounded number of requests and connections", async () => {
    const recordings = watchAll(40);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    for (let round = 1; round <= 3; round++) {
      const changedAt = clock.monotonic();
      for (let i = 0; i < 40; i++) fake.setService(nameOf(i), [entry("a"), entry(`b${round}`)]);
      await Promise.all(recordings.map((each) => shows(each, "a", `b${round}`)));
      // A turn in each half of a heartbeat interval; the rest is for a slow machine.
      expect(clock.monotonic() - changedAt).toBeLessThan(1_500);
    }
    expect(recordings.every(({ outcome }) => outcome.kind === "running")).toBe(true);
    expect(fake.requests.filter(isOwn).length).toBeGreaterThanOrEqual(LIMIT);
    expect(fake.requests.some(isTurn)).toBe(true);
    expect(fake.peakRequests).toBeLessThanOrEqual(LIMIT + OTHERS * 2);
    expect(await fake.connections()).toBeLessThanOrEqual(LIMIT + OTHERS * 2);
    for (const each of recordings) each.abort();
  });

  test("each get a heartbeat in every interval, also without changes", async () => {
    const recordings = watchAll(40);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    const before = recordings.map(({ events }) => events.length);
    await time.advance(2_500);
    const counts = recordings.map(({ events }, i) => events.slice(before[i]).length);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(4);
    expect(recordings.flatMap(({ events }) => events.filter(({ type }) => type === "held"))).toEqual([]);
    for (const each of recordings) each.abort();
  });

  test("a change of a service that has changed before is seen at once when a blocking query becomes free", async () => {
    const recordings = watchAll(LIMIT + 4);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    await eventually(() => fake.requests.filter(isOwn).length === LIMIT);
    const taken = new Set(fake.requests.filter(isOwn).map((path) => path.split("?")[0]));
    const turning = recordings.findIndex((_, i) => !taken.has(`/v1/health/service/${nameOf(i)}`));
    const own = recordings.findIndex((_, i) => taken.has(`/v1/health/service/${nameOf(i)}`));
    fake.setService(nameOf(turning), [entry("b")]);
    await shows(recordings[turning]!, "b");
    // The watch of another service ends with an error, so its query is free once its connection is closed.
    fake.headers = { "x-consul-index": "0" };
    fake.setService(nameOf(own), [entry("c")]);
    fake.headers = {};
    expect(await codeOf(recordings[own]!)).toBe("STREAM_INDEX_ROLLBACK");
    const path = `/v1/health/service/${nameOf(turning)}`;
    await eventually(() => fake.requests.some((each) => each.startsWith(path) && isOwn(each)));
    for (const each of recordings) each.abort();
  });

  test("an aborted watch leaves the others undisturbed, and a new one takes turns until Consul has closed its connection", async () => {
    const recordings = watchAll(LIMIT + 2);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    await eventually(() => fake.requests.filter(isOwn).length === LIMIT);
    for (const each of recordings.slice(0, LIMIT)) each.abort();
    await Promise.all(recordings.slice(0, LIMIT).map(({ over }) => over));
    const before = fake.requests.length;
    const again = watch(provide(nameOf(0)));
    await shows(again, "a");
    await time.advance(1_000);
    expect(fake.requests.slice(before).some(isTurn)).toBe(true);
    expect(fake.requests.slice(before).some(isOwn)).toBe(false);
    for (let i = LIMIT; i < LIMIT + 2; i++) {
      fake.setService(nameOf(i), [entry("b")]);
      await shows(recordings[i]!, "b");
    }
    for (const each of [...recordings, again]) each.abort();
  });

  test("the content is held while the server has no leader, and confirmed again after that", async () => {
    // R2.7
    const recordings = watchAll(LIMIT + 4);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    fake.headers = { "x-consul-knownleader": "false", "x-consul-lastcontact": "4142" };
    await Promise.all(
      recordings.map((each) =>
        each.waitFor("a held event", () => each.events.find(({ type }) => type === "held")),
      ),
    );
    const since = recordings.map(({ events }) => events.length);
    await time.advance(600);
    const later = recordings.flatMap(({ events }, i) => events.slice(since[i]));
    expect(later.filter(({ type }) => type === "heartbeat")).toEqual([]);
    fake.headers = {};
    await Promise.all(
      recordings.map((each) =>
        each.waitFor("a heartbeat", () => (each.events.at(-1)?.type === "heartbeat" ? true : undefined)),
      ),
    );
    for (const each of recordings) each.abort();
  });

  test("a response of a server that is not a leader, a rollback or a refused connection ends the turns with an error", async () => {
    const recordings = watchAll(LIMIT + 4);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    await fake[Symbol.asyncDispose]();
    const codes = await Promise.all(recordings.map(codeOf));
    expect(codes.every((code) => code === "STREAM_FAILED" || code === "CONNECTIVITY_REFUSED")).toBe(true);
  });

  test("a server that has lost its data is detected by a watch between two turns, although no connection breaks", async () => {
    // R5.6: the index is lower than before, and the blocking query waits for a higher one.
    const recordings = watchAll(LIMIT + 4);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    await eventually(() => fake.requests.filter(isOwn).length === LIMIT);
    const taken = new Set(fake.requests.filter(isOwn).map((path) => path.split("?")[0]));
    const turning = recordings.findIndex((_, i) => !taken.has(`/v1/health/service/${nameOf(i)}`));
    fake.services.set(nameOf(turning), { entries: [entry("b")], index: 1 });
    expect(await codeOf(recordings[turning]!)).toBe("STREAM_INDEX_ROLLBACK");
    const { snapshots } = recordings[turning]!;
    expect(snapshots).toHaveLength(1);
    for (const each of recordings) each.abort();
  });

  test("a stale response of a server that is behind is no heartbeat, and no error while the leader has the content", async () => {
    const more = { consistency: "stale" };
    for (let i = 0; i < LIMIT + 4; i++) fake.setService(nameOf(i), [entry("a")]);
    const recordings = Array.from({ length: LIMIT + 4 }, (_, i) => watch(provide(nameOf(i), more)));
    await Promise.all(recordings.map((each) => shows(each, "a")));
    fake.handler = (request, response, next) =>
      request.url?.includes("stale") === true && request.url.includes("filter=")
        ? response
            .writeHead(200, {
              "content-type": "application/json",
              "x-consul-index": "1",
              "x-consul-lastcontact": "9",
            })
            .end("[]")
        : next();
    const asked = () =>
      fake.requests.filter((path) => path.includes("consistent") && path.includes("filter=")).length;
    // Queries that were already waiting end as usual.
    await time.advance(700);
    const before = asked();
    const since = recordings.map(({ events }) => events.length);
    await eventually(() => asked() > before + 8);
    expect(recordings.flatMap(({ events }, i) => events.slice(since[i]))).toEqual([]);
    expect(recordings.every(({ outcome }) => outcome.kind === "running")).toBe(true);
    fake.handler = undefined;
    await Promise.all(
      recordings.map((each, i) =>
        each.waitFor("a heartbeat", () => (each.events.length > since[i]! ? true : undefined)),
      ),
    );
    for (const each of recordings) each.abort();
  });

  test("a broken connection of one watch makes the next turn of the others read the complete content", async () => {
    const recordings = watchAll(LIMIT + 4);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    await eventually(() => fake.requests.filter(isOwn).length === LIMIT);
    const taken = fake.requests.filter(isOwn).map((path) => path.split("?")[0]!);
    const turning = recordings.findIndex((_, i) => !taken.includes(`/v1/health/service/${nameOf(i)}`));
    const path = `/v1/health/service/${nameOf(turning)}`;
    // The server has other content with the same index, as after two restarts without data.
    const { index } = fake.services.get(nameOf(turning))!;
    fake.services.set(nameOf(turning), { entries: [entry("b")], index });
    await time.advance(600);
    expect(idsOf(recordings[turning]!)).toEqual(["a"]);
    fake.breakQuery(taken[0]!);
    await shows(recordings[turning]!, "b");
    expect(fake.requests.some((each) => each.startsWith(path))).toBe(true);
    for (const each of recordings) each.abort();
  });

  test("a server that does not wait does not receive requests without pauses", async () => {
    const recordings = watchAll(LIMIT + 1);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    fake.handler = (request, response, next) => {
      const url = request.url ?? "";
      if (!isTurn(url)) return next();
      request.url = url.replace(/&wait=\d+ms/, "&wait=1ms");
      return next();
    };
    const before = fake.requests.length;
    await time.advance(1_000);
    const turns = fake.requests.slice(before).filter(isTurn).length;
    expect(turns).toBeGreaterThan(2);
    expect(turns).toBeLessThan(25);
    for (const each of recordings) each.abort();
  });
});

describe("the start of many providers", () => {
  test("sends a limited number of requests at the same time, also for probes", async () => {
    for (let i = 0; i < 200; i++) fake.setService(nameOf(i), [entry("a")]);
    fake.handler = (_, __, next) => delay(5, next);
    const providers = Array.from({ length: 200 }, (_, i) =>
      provide(nameOf(i), { maxBlockingQueries: 32 }, 5_000),
    );
    const { signal } = new AbortController();
    await Promise.all(providers.map((each) => each.probe({ signal })));
    expect(fake.peakRequests).toBeLessThanOrEqual(OTHERS);
    const recordings = providers.map(watch);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    expect(fake.peakRequests).toBeLessThanOrEqual(32 + OTHERS * 2);
    for (const each of recordings) each.abort();
  });

  test("with an agent that refuses connections sends a few requests, and every provider gets the error", async () => {
    const { address } = fake;
    await fake[Symbol.asyncDispose]();
    const recordings = Array.from({ length: 200 }, (_, i) =>
      watch(provide(nameOf(i), { addresses: [address] })),
    );
    const codes = await Promise.all(recordings.map(codeOf));
    expect(new Set(codes)).toEqual(new Set(["CONNECTIVITY_REFUSED"]));
  });

  test("with an agent that does not respond, all fail after one timeout", async () => {
    fake.isHanging = true;
    const recordings = Array.from({ length: 200 }, (_, i) => watch(provide(nameOf(i))));
    const codes = await Promise.all(recordings.map(codeOf));
    expect(new Set(codes)).toEqual(new Set(["CONNECTIVITY_TIMEOUT"]));
    const reads = fake.requests.filter((path) => path.startsWith("/v1/health/"));
    expect(reads.length).toBeLessThanOrEqual(OTHERS);
    // They ask together whether there is a leader.
    expect(fake.requests.length).toBeLessThanOrEqual(OTHERS + 1);
  });

  test("a provider whose requests fail affects no other one", async () => {
    // R7.1
    for (let i = 0; i < 40; i++) fake.setService(nameOf(i), [entry("a")]);
    fake.handler = (request, response, next) => {
      const path = request.url ?? "";
      if (path.startsWith(`/v1/health/service/${nameOf(0)}?`)) return void response.writeHead(500).end();
      if (path.startsWith(`/v1/health/service/${nameOf(1)}?`)) return undefined;
      return next();
    };
    const recordings = Array.from({ length: 40 }, (_, i) => watch(provide(nameOf(i))));
    await Promise.all(recordings.slice(2).map((each) => shows(each, "a")));
    expect(await codeOf(recordings[0]!)).toBe("CONNECTIVITY_UNAVAILABLE");
    expect(await codeOf(recordings[1]!)).toBe("CONNECTIVITY_TIMEOUT");
    for (const each of recordings) each.abort();
  });
});

describe("providers of one adapter", () => {
  test("share connections, and keep them until the last watch has ended", async () => {
    const recordings = watchAll(3);
    await Promise.all(recordings.map((each) => shows(each, "a")));
    recordings[0]!.abort();
    recordings[1]!.abort();
    await Promise.all(recordings.slice(0, 2).map(({ over }) => over));
    fake.setService(nameOf(2), [entry("b")]);
    await shows(recordings[2]!, "b");
    recordings[2]!.abort();
    await recordings[2]!.over;
    while ((await fake.connections()) > 0) await time.advance(1);
  });

  test("that watch the same service with the same token share index checks, and others do not", async () => {
    fake.setService("web", [entry("a")]);
    // Their checks overlap, because the responses take a while.
    fake.handler = (request, _, next) =>
      request.url?.includes("filter=") === true ? delay(100, next) : next();
    const count = async (tokens: readonly string[]) => {
      const recordings = tokens.map((env) => watch(provide("web", { token: { env } }, 400)));
      await Promise.all(recordings.map((each) => shows(each, "a")));
      const before = fake.requests.length;
      await time.advance(1_500);
      for (const each of recordings) each.abort();
      await Promise.all(recordings.map(({ over }) => over));
      return fake.requests.slice(before).filter((path) => path.includes("filter=")).length;
    };
    process.env["HOLDFAST_TEST_TOKEN_A"] = process.env["HOLDFAST_TEST_TOKEN_B"] = "token";
    try {
      const shared = await count(["HOLDFAST_TEST_TOKEN_A", "HOLDFAST_TEST_TOKEN_A"]);
      const separate = await count(["HOLDFAST_TEST_TOKEN_A", "HOLDFAST_TEST_TOKEN_B"]);
      expect(shared).toBeLessThan(separate * 0.75);
    } finally {
      delete process.env["HOLDFAST_TEST_TOKEN_A"];
      delete process.env["HOLDFAST_TEST_TOKEN_B"];
    }
  });
});
