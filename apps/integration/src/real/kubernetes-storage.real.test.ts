import { createSeededRandom } from "@holdfast/testing";
import { systemClock, type Update } from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { memory } from "@holdfast/provider-memory";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { eventually, KubernetesServer, uniqueName } from "@holdfast-apps/lab";
import { createRealProvider, failureOf, shows, time, watch } from "./watched-real.ts";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });
const TIMEOUT_MS = 7_500;

// R2.7 H1
describeReal("a Kubernetes API server without its etcd", ["kube-api program"], () => {
  let server: KubernetesServer;
  beforeAll(async () => {
    server = await KubernetesServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const faults: readonly [string, () => void, () => void][] = [
    ["is stopped", () => server.etcd.freeze(), () => server.etcd.thaw()],
    ["cannot be reached", () => server.storage.hang(), () => server.storage.pass()],
    ["refuses connections", () => server.storage.refuse(), () => server.storage.pass()],
  ];

  test.each(faults)(
    "still serves watches when etcd %s, but causes no heartbeat and no snapshot",
    { timeout: 180_000 },
    async (_, lose, restore) => {
      const service = uniqueName();
      await server.api.publish(service, [node("a")]);
      const params = { ...server.params(), namespace: "default", service };
      await using provider = createRealProvider("kubernetes", params);
      const recording = watch(provider);
      await shows(recording, "a");
      await recording.waitFor("a heartbeat", () => recording.events.length > 1 || undefined);
      lose();
      try {
        const { code } = await failureOf(recording);
        expect(["STREAM_STALE", "STREAM_SILENT", "STREAM_FAILED"]).toContain(code);
        const meanwhile = watch(provider);
        await failureOf(meanwhile);
        expect(meanwhile.events).toEqual([]);
      } finally {
        restore();
      }
      await eventually(async () => expect(await server.api.isReady()).toBe(true));
      await eventually(async () => {
        const after = watch(provider);
        await shows(after, "a");
        after.abort();
      });
    },
  );

  test("makes failover switch to a healthy provider", { timeout: 180_000 }, async () => {
    const service = uniqueName();
    await server.api.publish(service, [node("a")]);
    const params = { ...server.params(), namespace: "default", service };
    await using primary = createRealProvider("kubernetes", params);
    const adapter = memory.createAdapter();
    const random = createSeededRandom(1);
    await using standby = adapter.create(
      {
        id: "standby",
        kind: "memory",
        priority: 0,
        params: adapter.params.parse({ members: [node("a"), node("b")] }),
      },
      { clock: systemClock, random, heartbeatMs: 2_500 },
    );
    await using failover = new Failover({
      providers: [primary, standby],
      clock: systemClock,
      random,
      health: { timeoutMs: TIMEOUT_MS },
    });
    const stop = new AbortController();
    const updates: Update[] = [];
    const running = failover.run({ signal: stop.signal, onUpdate: (update) => updates.push(update) });
    const providerNow = () => updates.at(-1)?.snapshot?.providerId;
    while (providerNow() !== "kubernetes") await time.advance(20);
    server.etcd.freeze();
    try {
      while (!updates.some(({ switched }) => switched !== undefined)) await time.advance(20);
      while (providerNow() !== "standby") await time.advance(20);
    } finally {
      server.etcd.thaw();
    }
    stop.abort();
    await running;
  });
});
