import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { FakeDaemon } from "../../test/fake-daemon.ts";
import { node } from "../../test/follow-setup.ts";
import type { Transport } from "../connection/transport.ts";
import { follow } from "./follow.ts";

const FOLLOWERS = 1_000;

// R7.5
test("1,000 followers that lose a daemon at once come back spread over time, and none needs the members", async () => {
  const clock = new VirtualClock();
  const daemon = new FakeDaemon({ clock });
  const members = Array.from({ length: 20 }, (_, i) => node(`n${i}`));
  daemon.publish(members);
  const random = createSeededRandom(11);
  const requestedAt: number[] = [];
  const transport: Transport = (request) => {
    requestedAt.push(clock.monotonic());
    return daemon.transport(request);
  };
  const followers = Array.from({ length: FOLLOWERS }, () =>
    follow({ url: "http://one", clock, random, transport }),
  );
  await clock.advance(20_000);
  expect(followers.every(({ state }) => state.status === "ready")).toBe(true);
  expect(requestedAt).toHaveLength(FOLLOWERS);

  requestedAt.length = 0;
  daemon.mode = "down";
  daemon.disconnect();
  await clock.advance(10_000);
  const tries = requestedAt.length;
  daemon.restart();
  daemon.publish(members);
  daemon.mode = "up";
  daemon.stateLength = 0;
  const upAt = clock.monotonic();
  await clock.advance(40_000);
  expect(followers.every(({ state }) => state.status === "ready")).toBe(true);

  // Full jitter with ceilings of 2, 4, 8 and 16 s.
  const perSecond = Map.groupBy(requestedAt, (at) => Math.floor(at / 1_000));
  expect(Math.max(...perSecond.values().map((times) => times.length))).toBeLessThan(FOLLOWERS * 0.75);
  expect(tries).toBeLessThan(FOLLOWERS * 5);
  expect(requestedAt.filter((at) => at >= upAt)).toHaveLength(FOLLOWERS);
  expect(daemon.stateLength / FOLLOWERS).toBeLessThan(500);
  expect(followers[0]!.members().size).toBe(20);

  for (const follower of followers) void follower.close();
  await clock.advance(1_000);
  expect([daemon.openConnections, clock.pendingTimers]).toEqual([0, 0]);
  await daemon[Symbol.asyncDispose]();
});
