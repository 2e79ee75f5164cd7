import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { ConsulAgent, uniqueName } from "@holdfast-apps/lab";
import { createRealProvider, failureOf, probe, shows, time, watch } from "./watched-real.ts";

const node = (id: string, port = 80) => ({ id, host: "10.0.0.1", port });

describeReal("a Consul agent that is killed or frozen", ["consul program"], () => {
  let agent: ConsulAgent;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    agent = await ConsulAgent.start();
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  afterAll(() => agent[Symbol.asyncDispose]());

  function provide(service: string) {
    const params = { addresses: [agent.address], service, nodeId: "service-id" };
    const provider = createRealProvider("consul", params, 500);
    open.push(provider);
    return provider;
  }

  test("starts again with a lower index after a kill, and no change is missed", async () => {
    // R5.6: the index of Consul is lower than before.
    const service = uniqueName();
    await agent.catalog.publish(service, [node("a"), node("b")]);
    for (let i = 0; i < 30; i++) await agent.catalog.register(service, node("a", 1_000 + i));
    const provider = provide(service);
    const before = watch(provider);
    await shows(before, "a", "b");
    const high = Number(before.snapshots.at(-1)?.revision);
    await agent.process.kill();
    expect((await failureOf(before)).code).toMatch(/^(STREAM_FAILED|CONNECTIVITY_REFUSED)$/);
    expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    agent.catalog.forget();
    await agent.process.start();
    await agent.catalog.register(service, node("c"));
    const after = watch(provider);
    await shows(after, "c");
    expect(Number(after.snapshots.at(-1)?.revision)).toBeLessThan(high);
    await agent.catalog.register(service, node("d"));
    await shows(after, "c", "d");
    after.abort();
  });

  test("sends no heartbeat while it is frozen, and continues after that", async () => {
    // R2.6 R5.6
    const service = uniqueName();
    await agent.catalog.publish(service, [node("a")]);
    const recording = watch(provide(service));
    await shows(recording, "a");
    agent.process.freeze();
    try {
      await time.advance(500);
      const before = recording.events.length;
      await time.advance(1_500);
      expect(recording.events.length).toBe(before);
      expect(await probe(provide(service))).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    } finally {
      agent.process.thaw();
    }
    await agent.catalog.register(service, node("b"));
    await shows(recording, "a", "b");
    recording.abort();
  });
});
