import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import type { TopologyStatus } from "@holdfast/core";
import { expect, test } from "vitest";
import { OwnershipLane } from "./ownership-lane.ts";
import { RecordingPorts } from "../test/recording-ports.ts";
import { nodes, ScriptedHub } from "../test/scripted-hub.ts";

function setUp() {
  const clock = new VirtualClock();
  const source = new ScriptedHub(clock);
  const ports = new RecordingPorts();
  const { partition } = ports;
  const lane = new OwnershipLane({ source, partition, clock, random: createSeededRandom(1) });
  return { clock, source, ports, lane, bridge: lane.partition! };
}

const failure = (code: string) => expect.objectContaining({ code });

test("newest() returns the newest snapshot at any time, also before the port has it, and while degraded", () => {
  // R3.2
  const { source, ports, bridge } = setUp();
  ports.behave = () => Promise.withResolvers<void>().promise;
  source.status("ready");
  for (const names of [["a"], ["a", "b"]]) {
    source.snapshot(nodes(...names));
    expect(bridge.newest()).toBe(source.state.snapshot);
  }
  expect(bridge.lastSnapshot).toBeUndefined();
  source.status("degraded");
  expect(bridge.newest()).toBe(source.state.snapshot);
});

test("newest() throws TOPOLOGY_NO_SNAPSHOT before the first snapshot", () => {
  // R3.2
  const { source, bridge } = setUp();
  expect(() => bridge.newest()).toThrow(failure("TOPOLOGY_NO_SNAPSHOT"));
  source.status("ready");
  expect(() => bridge.newest()).toThrow(failure("TOPOLOGY_NO_SNAPSHOT"));
});

test.each<[TopologyStatus, string]>([
  ["empty", "TOPOLOGY_EMPTY"],
  ["unavailable", "TOPOLOGY_UNAVAILABLE"],
  ["draining", "LIFECYCLE_SHUTTING_DOWN"],
  ["stopped", "LIFECYCLE_STOPPED"],
])("while the topology is %s the answer is %s", async (status, code) => {
  // R3.2, R3.5, R5.3
  const { clock, source, bridge } = setUp();
  source.snapshot(nodes("a"));
  const { snapshot } = source.state;
  await clock.settle();
  source.status(status);
  expect(() => bridge.newest()).toThrow(failure(code));
  expect(bridge.lastSnapshot).toBe(snapshot);
});

test("newest() throws while the lane drains and after it stopped; lastSnapshot is kept", async () => {
  // R3.5
  const { source, lane, bridge } = setUp();
  source.status("ready");
  source.snapshot(nodes("a"));
  await lane.drain({ signal: new AbortController().signal });
  expect(() => bridge.newest()).toThrow(failure("LIFECYCLE_SHUTTING_DOWN"));
  await lane[Symbol.asyncDispose]();
  expect(() => bridge.newest()).toThrow(failure("LIFECYCLE_STOPPED"));
  expect(bridge.lastSnapshot).toBe(source.state.snapshot);
});
