import { ScriptedSource, VirtualClock } from "@holdfast/testing";
import {
  createClusterNode,
  MemberSet,
  type Clock,
  type NodeId,
  type ProvisioningError,
} from "@holdfast/core";
import { expect, onTestFinished, test } from "vitest";
import { SharedEndpointCheck } from "./shared-endpoint-check.ts";

type Endpoints = Readonly<Record<NodeId, string>>;

function setUp() {
  const clock = new VirtualClock();
  let yields = 0;
  const counting: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    schedule: (delayMs, task) => clock.schedule(delayMs, task),
    yield: () => {
      yields++;
      return clock.yield();
    },
  };
  const source = new ScriptedSource(clock);
  const warnings: ProvisioningError[] = [];
  const check = new SharedEndpointCheck({
    source,
    clock: counting,
    onWarning: (warning) => void warnings.push(warning),
  });
  onTestFinished(() => check[Symbol.dispose]());
  const publish = (endpoints: Endpoints, retained?: readonly NodeId[]) => {
    const nodes = Object.entries(endpoints).map(([id, endpoint]) => {
      const at = endpoint.lastIndexOf(":");
      return createClusterNode({ id, host: endpoint.slice(0, at), port: Number(endpoint.slice(at + 1)) });
    });
    source.publish({ providerId: "p", observedAt: 0, members: MemberSet.from(nodes), retained });
  };
  const takeIds = () => warnings.splice(0).map(({ details }) => details["pairs"]);
  return { clock, source, check, warnings, publish, takeIds, yields: () => yields };
}

// C4
test("warns about two ids with the same host and port, and names both", async () => {
  const { clock, warnings, publish } = setUp();
  publish({ a: "10.0.0.1:80", b: "10.0.0.1:81", c: "10.0.0.2:80", d: "10.0.0.1:80" });
  await clock.settle();
  expect(warnings).toMatchObject([
    {
      code: "TOPOLOGY_SHARED_ENDPOINT",
      message: expect.stringContaining(
        '"p" lists members with the same host and port: "a" and "d" (10.0.0.1:80)',
      ),
      details: { providerId: "p", count: 1, pairs: [{ address: "10.0.0.1:80", ids: ["a", "d"] }] },
    },
  ]);
});

test("compares host names case-insensitively, and does not confuse IPv6 addresses with ports", async () => {
  const { clock, publish, takeIds } = setUp();
  publish({ a: "DB.local:80", b: "db.local:80", c: "::1:2", d: "::1:1:2" });
  await clock.settle();
  expect(takeIds()).toEqual([[{ address: "db.local:80", ids: ["a", "b"] }]]);
});

test("does not warn about different endpoints, or about members that only a guard keeps", async () => {
  const { clock, publish, takeIds } = setUp();
  publish({ a: "h:1", b: "h:2", "new/a": "h:1" }, ["a"]);
  await clock.settle();
  expect(takeIds()).toEqual([]);
});

test("checks the newest members, at most once a minute", async () => {
  const { clock, publish, takeIds } = setUp();
  publish({ a: "h:1" });
  await clock.settle();
  publish({ a: "h:1", b: "h:1" });
  publish({ a: "h:1", c: "h:1" });
  await clock.advance(59_999);
  expect(takeIds()).toEqual([]);
  await clock.advance(1);
  expect(takeIds()).toEqual([[{ address: "h:1", ids: ["a", "c"] }]]);
  expect(clock.pendingTimers).toBe(0);
});

test("does not check again while only blocks change or members leave", async () => {
  const { clock, source, publish } = setUp();
  publish({ a: "h:1", b: "h:2" });
  await clock.settle();
  publish({ a: "h:1" });
  const { snapshot } = source.state;
  source.publish({ ...snapshot!, blockedNodes: ["a"] });
  expect(clock.pendingTimers).toBe(0);
});

test("repeats a finding only after a check with a different result", async () => {
  const { clock, publish, takeIds } = setUp();
  const shared = { a: "h:1", b: "h:1" };
  const rounds: Endpoints[] = [shared, { ...shared, c: "h:3" }, { a: "h:1", b: "h:2" }, shared];
  const found: unknown[][] = [];
  for (const endpoints of rounds) {
    publish(endpoints);
    await clock.advance(60_000);
    found.push(takeIds());
  }
  expect(found.map(({ length }) => length)).toEqual([1, 0, 0, 1]);
});

test("reports 10,000 members with the same endpoint in one short warning, and yields during the check", async () => {
  const { clock, warnings, publish, yields } = setUp();
  publish(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`node-${i}`, "h:1"])));
  await clock.settle();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]!.message.length).toBeLessThan(300);
  expect(warnings[0]!.message).toContain("and 9996 more");
  expect(warnings[0]!.details).toMatchObject({ count: 9_999 });
  expect(yields()).toBe(9);
});

test("checks members that change during a check one minute later", async () => {
  const { clock, publish, takeIds } = setUp();
  publish(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`node-${i}`, `h:${i + 1}`])));
  publish({ a: "h:1", b: "h:1" });
  await clock.advance(59_999);
  expect(takeIds()).toEqual([]);
  await clock.advance(1);
  expect(takeIds()).toHaveLength(1);
});

test("does not warn after its disposal, and leaves neither a timer nor a listener", async () => {
  const { clock, source, check, publish, takeIds } = setUp();
  publish(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`node-${i}`, "h:1"])));
  publish({ a: "h:1", b: "h:1" });
  check[Symbol.dispose]();
  await clock.advance(120_000);
  expect([takeIds(), clock.pendingTimers, source.listeners.size]).toEqual([[], 0, 0]);
});
