import { describe, expect, test } from "vitest";
import { FakeSignals } from "../test/fake-signals.ts";
import { ShutdownSignals } from "./shutdown-signals.ts";

function listen(source: FakeSignals) {
  const calls: string[] = [];
  const listening = new ShutdownSignals({
    signals: ["SIGTERM", "SIGINT"],
    source,
    onFirst: () => calls.push("first"),
    onAgain: () => calls.push("again"),
  });
  return { calls, listening };
}

// R8.4
describe("ShutdownSignals", () => {
  test("distinguishes the first signal from further ones, and sends the first again at the end", () => {
    const source = new FakeSignals();
    const { calls, listening } = listen(source);
    source.emit("SIGTERM", "SIGTERM");
    source.emit("SIGINT", "SIGINT");
    expect(calls).toEqual(["first", "again"]);
    expect(source.killed).toEqual([]);
    listening.end();
    expect(source.killed).toEqual(["SIGTERM"]);
    expect(source.rawListeners("SIGTERM")).toEqual([]);
    expect(source.rawListeners("SIGINT")).toEqual([]);
  });

  test("ends nothing when no signal was received", () => {
    const source = new FakeSignals();
    listen(source).listening.end();
    expect(source.killed).toEqual([]);
  });

  test.each(["on", "once", "later"] as const)(
    "leaves the end of the process to a listener of the program (%s)",
    (add) => {
      const source = new FakeSignals();
      if (add !== "later") source[add]("SIGTERM", () => undefined);
      const { listening } = listen(source);
      if (add === "later") source.once("SIGTERM", () => undefined);
      source.emit("SIGTERM", "SIGTERM");
      listening.end();
      expect(source.killed).toEqual([]);
    },
  );

  test("of several announcements, the last one sends the signal again", () => {
    const source = new FakeSignals();
    const both = [listen(source), listen(source)];
    source.emit("SIGTERM", "SIGTERM");
    both[0]!.listening.end();
    expect(source.killed).toEqual([]);
    both[1]!.listening.end();
    expect(source.killed).toEqual(["SIGTERM"]);
  });
});
