import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, expect, test, vi } from "vitest";
import { createDiagnosticsChannel } from "./diagnostics-channel.ts";

afterEach(() => vi.unstubAllGlobals());

test("a subscriber receives each message with the name of the channel, until it leaves", () => {
  const channel = createDiagnosticsChannel<{ readonly value: number }>("holdfast:test");
  const seen: unknown[] = [];
  const listener = (message: unknown, name: string | symbol) => void seen.push([name, message]);
  expect(channel.hasSubscribers).toBe(false);
  subscribe("holdfast:test", listener);
  expect(channel.hasSubscribers).toBe(true);
  channel.publish({ value: 1 });
  unsubscribe("holdfast:test", listener);
  expect(channel.hasSubscribers).toBe(false);
  expect(seen).toEqual([["holdfast:test", { value: 1 }]]);
});

test.each([
  ["a browser, which has no process", undefined],
  ["a platform without getBuiltinModule", {}],
])("in %s there are no subscribers, and publishing does nothing", (_, process) => {
  vi.stubGlobal("process", process);
  const channel = createDiagnosticsChannel("holdfast:test");
  expect(channel.hasSubscribers).toBe(false);
  expect(() => channel.publish({})).not.toThrow();
});
