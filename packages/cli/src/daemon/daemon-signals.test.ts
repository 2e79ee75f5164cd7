import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { TestTerminal } from "../../test/test-terminal.ts";
import { DaemonSignals } from "./daemon-signals.ts";

function setUp() {
  const clock = new VirtualClock();
  const terminal = new TestTerminal({ clock });
  return { clock, terminal, signals: new DaemonSignals(terminal) };
}

describe("DaemonSignals", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("shuts down at the first %s", (signal) => {
    const { terminal, signals } = setUp();
    expect(signals.shutdown.aborted).toBe(false);
    terminal.signal(signal);
    expect(signals.shutdown.aborted).toBe(true);
    expect(terminal.exits).toEqual([]);
  });

  test("treats signals within half a second as the same key press, and exits at once at a later one", async () => {
    const { clock, terminal } = setUp();
    terminal.signal("SIGINT");
    terminal.signal("SIGINT");
    await clock.advance(499);
    terminal.signal("SIGTERM");
    // The wall clock has no effect.
    clock.jump(60_000);
    terminal.signal("SIGINT");
    expect(terminal.exits).toEqual([]);
    await clock.advance(1);
    terminal.signal("SIGINT");
    expect(terminal.exits).toEqual([130]);
  });

  test("does not exit at a first signal, also when the shutdown has begun for another reason", () => {
    const { terminal, signals } = setUp();
    signals.requestShutdown();
    terminal.signal("SIGINT");
    expect(terminal.exits).toEqual([]);
  });

  test("passes SIGHUP on, also one that arrived before there was a listener, and removes its listeners", () => {
    const { terminal, signals } = setUp();
    let hangups = 0;
    terminal.signal("SIGHUP");
    terminal.signal("SIGHUP");
    signals.onHangup = () => void hangups++;
    expect(hangups).toBe(1);
    terminal.signal("SIGHUP");
    expect([hangups, signals.shutdown.aborted]).toEqual([2, false]);
    signals[Symbol.dispose]();
    expect(terminal.listeners).toBe(0);
  });
});
