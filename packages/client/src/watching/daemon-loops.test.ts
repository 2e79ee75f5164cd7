import { VirtualClock } from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MeshDaemon } from "../../test/mesh-daemon.ts";
import { node, nodes } from "../../test/follow-setup.ts";
import type { Transport } from "../connection/transport.ts";

const viaOf = ({ name, state }: MeshDaemon) => [name, ...(state.snapshot?.via ?? [])].join(" ");

/** Each daemon reads a backend and has all the others as standby. */
function setUpMesh(...names: readonly string[]) {
  const clock = new VirtualClock();
  const daemons = new Map<string, MeshDaemon>();
  const transport: Transport = (request) =>
    daemons.get(new URL(request.url).hostname)!.server.transport(request);
  for (const [seed, name] of names.entries()) {
    const peers = [...names.slice(seed + 1), ...names.slice(0, seed)];
    daemons.set(name, new MeshDaemon({ name, clock, seed, peers, transport }));
  }
  const all = [...daemons.values()];
  const publish = (...ids: readonly string[]) => all.forEach(({ backend }) => backend.set(nodes(...ids)));
  const end = async () => {
    const closing = Promise.all(all.map((daemon) => daemon[Symbol.asyncDispose]()));
    await clock.until(closing, 60_000);
    expect(clock.pendingTimers).toBe(0);
  };
  const statuses = () => all.map(({ state }) => state.status).join(" ");
  return { clock, all, publish, end, statuses };
}

// R7.4
describe("two daemons that have each other as standby", () => {
  test("serve each other's content when one loses its backend", async () => {
    const { clock, all, publish, end, statuses } = setUpMesh("a", "b");
    const [a, b] = all as [MeshDaemon, MeshDaemon];
    publish("n1", "n2");
    await clock.advance(30_000);
    expect([statuses(), a.active, b.active]).toEqual(["ready ready", "backend", "backend"]);

    a.loseBackend();
    await clock.advance(60_000);
    expect([statuses(), a.active, viaOf(a)]).toEqual(["ready ready", "b", "a b"]);
    b.backend.set(nodes("n1", "n2", "n3"));
    await clock.advance(1_000);
    expect(a.state.snapshot?.hash).toBe(b.state.snapshot?.hash);

    // The other way round, as soon as the first one has its backend again.
    a.backend.recover();
    a.backend.set(nodes("n1", "n2", "n3"));
    await clock.advance(60_000);
    expect([statuses(), a.active, viaOf(a)]).toEqual(["ready ready", "backend", "a"]);
    b.loseBackend();
    await clock.advance(5_000);
    expect([statuses(), b.active, viaOf(b)]).toEqual(["ready ready", "a", "b a"]);
    await end();
  });

  test("show why a standby cannot take over while it follows this daemon, and keep its connection", async () => {
    const { clock, all, publish, end } = setUpMesh("a", "b");
    const [a, b] = all as [MeshDaemon, MeshDaemon];
    publish("n1");
    await clock.advance(30_000);
    a.loseBackend();
    await clock.advance(60_000);
    const standby = b.failover.health().find(({ providerId }) => providerId === "a");
    expect(standby).toMatchObject({
      health: "degraded",
      reason: {
        code: "TOPOLOGY_LOOP",
        message: "the daemon at http://a follows this process",
        details: { via: ["a"] },
      },
    });
    expect(a.server.requests).toHaveLength(1);
    await end();
  });

  test.each([
    ["at the same moment", 0],
    ["within the time that a message takes", 1],
    ["one after the other", 40_000],
  ])("are not ready after both have lost their backends %s", async (_, laterMs) => {
    const { clock, all, publish, end, statuses } = setUpMesh("a", "b");
    const [a, b] = all as [MeshDaemon, MeshDaemon];
    publish("n1", "n2");
    await clock.advance(30_000);
    a.loseBackend();
    await clock.advance(laterMs);
    b.loseBackend();
    await clock.advance(15_000);
    expect(all.map(({ state }) => state.isStale)).toEqual([true, true]);
    await clock.advance(120_000);
    expect(statuses()).toBe("unavailable unavailable");
    expect(all.map(({ state }) => state.snapshot?.members.size)).toEqual([2, 2]);
    // For as long as it takes: none of the retries makes one believe the other.
    for (let i = 0; i < 100; i++) {
      await clock.advance(3_000);
      expect(statuses()).toBe("unavailable unavailable");
    }
    b.backend.recover();
    b.backend.set([node("n9")]);
    await clock.advance(60_000);
    expect(statuses()).toBe("ready ready");
    expect(a.state.snapshot?.hash).toBe(b.state.snapshot?.hash);
    await end();
  });
});

// R7.4
test("daemons in a circle do not exchange their contents", async () => {
  const { clock, all, end } = setUpMesh("a", "b");
  const [a, b] = all as [MeshDaemon, MeshDaemon];
  a.backend.set(nodes("n1", "n2"));
  b.backend.set(nodes("n1", "n3"));
  await clock.advance(30_000);
  let events = 0;
  for (const { hub } of all) hub.onEvent(() => events++);
  // Both notice it at the same moment, and each switches to the other.
  for (const { backend } of all) backend.hang();
  await clock.advance(14_000);
  expect(events).toBe(0);
  for (const { backend } of all) backend.fail();
  await clock.advance(300_000);
  expect(events).toBeLessThan(60);
  await end();
});

// R7.4
test("a chain of daemons ends before the daemon that it comes back to, so it cannot grow", async () => {
  const { clock, all, publish, end } = setUpMesh("a", "b", "c");
  publish("n1");
  await clock.advance(30_000);
  for (const daemon of all) daemon.loseBackend();
  for (let i = 0; i < 60; i++) {
    await clock.advance(1_000);
    for (const { name, state } of all) {
      const via = state.snapshot?.via ?? [];
      expect(new Set([name, ...via]).size).toBe(via.length + 1);
    }
  }
  await end();
});

// R7.4: for any order of lost and recovered backends.
test("daemons without any backend are not ready within half a minute, and all are ready soon after one has a backend", async () => {
  const names = ["a", "b", "c"];
  const step = fc.record({
    daemon: fc.nat({ max: 2 }),
    what: fc.constantFrom("lose" as const, "recover" as const),
    afterMs: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 20_000 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), fc.nat({ max: 2 }), async (steps, last) => {
      const { clock, all, publish, end } = setUpMesh(...names);
      publish("n1", "n2");
      await clock.advance(20_000);
      const hasBackend = names.map(() => true);
      let since = Number.POSITIVE_INFINITY;
      const watch = async (ms: number) => {
        for (let passed = 0; passed < ms; passed += 1_000) {
          await clock.advance(Math.min(1_000, ms - passed));
          if (clock.monotonic() - since < 30_000) continue;
          expect(all.map(({ state }) => state.status)).not.toContain("ready");
        }
      };
      const change = (index: number, has: boolean) => {
        if (has) all[index]!.backend.recover();
        else all[index]!.loseBackend();
        hasBackend[index] = has;
        if (hasBackend.includes(true)) since = Number.POSITIVE_INFINITY;
        else since = Math.min(since, clock.monotonic());
      };
      for (const { daemon, what, afterMs } of steps) {
        change(daemon, what === "recover");
        await watch(afterMs);
      }
      for (const index of names.keys()) change(index, false);
      await watch(60_000);
      change(last, true);
      await watch(120_000);
      expect(all.map(({ state }) => state.status)).toEqual(["ready", "ready", "ready"]);
      await end();
    }),
    { numRuns: 30 },
  );
});
