import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { PartitionPort } from "@holdfast/core";
import { memory } from "@holdfast/provider-memory";
import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { connect } from "./connect.ts";

const CHANNELS = ["provider", "update", "event", "call", "warning"].map((name) => `holdfast:${name}`);

test("every step from a provider to a port can be observed on its diagnostics channel", async () => {
  const seen = new Map<string, unknown[]>(CHANNELS.map((name) => [name, []]));
  const listener = (message: unknown, name: string | symbol) => void seen.get(String(name))?.push(message);
  for (const name of CHANNELS) subscribe(name, listener);
  try {
    const clock = new VirtualClock();
    let calls = 0;
    const partition: PartitionPort = {
      applySnapshot() {
        if (++calls === 1) throw new Error("not yet");
      },
      publishLeases: () => undefined,
      notify: () => undefined,
    };
    const members = [{ id: "a", host: "a.test", port: 80 }];
    const providers = [memory({ members }, { id: "primary" })];
    const topology = await clock.until(connect({ providers, clock, ports: { partition } }), 60_000);
    await clock.advance(60_000);
    await clock.until(topology.close(), 60_000);
  } finally {
    for (const name of CHANNELS) unsubscribe(name, listener);
  }
  expect(seen.get("holdfast:provider")?.slice(0, 2)).toMatchObject([
    { providerId: "primary", signal: { type: "connecting" } },
    { providerId: "primary", signal: { type: "snapshot" } },
  ]);
  expect(seen.get("holdfast:update")).toContainEqual({
    update: expect.objectContaining({ availability: "available", isFresh: true }),
  });
  const kinds = seen
    .get("holdfast:event")
    ?.map((message) => (message as { event: { kind: string } }).event.kind);
  expect(kinds).toEqual(expect.arrayContaining(["health_changed", "snapshot", "status_changed"]));
  expect(
    seen.get("holdfast:call")?.filter((message) => (message as { call: string }).call === "applySnapshot"),
  ).toMatchObject([
    { port: "partition", attempt: 1, error: new Error("not yet") },
    { port: "partition", attempt: 2, durationMs: 0 },
  ]);
  expect(seen.get("holdfast:warning")).toMatchObject([{ warning: { code: "LIFECYCLE_CONSUMER_FAILED" } }]);
});
