import { describe, expect, test } from "vitest";
import { createClusterNode } from "@holdfast/core";
import { MemoryRegistrarBackend, VirtualClock } from "@holdfast/testing";
import { FakeSignals } from "../test/fake-signals.ts";
import { Announcement } from "./announcement.ts";

function announceWith(source: FakeSignals) {
  const clock = new VirtualClock();
  const { registrar } = new MemoryRegistrarBackend({ clock });
  const self = createClusterNode({ id: "a", host: "10.0.0.1", port: 7_001 });
  const announcement = new Announcement({
    registration: registrar.open(self, { clock }),
    clock,
    random: () => 0.5,
    drainMs: 5_000,
    finish: undefined,
    finishMs: 1_000,
    leaveMs: 1_000,
    maxRetryMs: 1_000,
    onWarning: () => undefined,
    signals: ["SIGTERM"],
    signalSource: source,
  });
  return { clock, announcement };
}

// R8.4
describe("an announcement that listens for signals", () => {
  test("leaves at the first signal, and then lets it end the process", async () => {
    const source = new FakeSignals();
    const { clock, announcement } = announceWith(source);
    await clock.advance(100);
    source.emit("SIGTERM", "SIGTERM");
    await clock.advance(4_900);
    expect(announcement.state.status).toBe("draining");
    expect(source.killed).toEqual([]);
    await clock.advance(200);
    expect(announcement.state.status).toBe("left");
    expect(source.killed).toEqual(["SIGTERM"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a second signal ends the wait", async () => {
    const source = new FakeSignals();
    const { clock, announcement } = announceWith(source);
    await clock.advance(100);
    source.emit("SIGTERM", "SIGTERM");
    await clock.advance(1_000);
    source.emit("SIGTERM", "SIGTERM");
    await clock.advance(1);
    expect(announcement.state.status).toBe("left");
    expect(source.killed).toEqual(["SIGTERM"]);
  });

  test("leaving without a signal ends no process", async () => {
    const source = new FakeSignals();
    const { clock, announcement } = announceWith(source);
    await clock.until(announcement.leave(), 20_000);
    expect(source.killed).toEqual([]);
    expect(source.rawListeners("SIGTERM")).toEqual([]);
  });
});
