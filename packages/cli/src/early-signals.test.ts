import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { holdEarlySignals, type SignalProcess } from "./early-signals.ts";

function setUp(args: readonly string[]) {
  const exits: number[] = [];
  const emitter = new EventEmitter();
  const process = Object.assign(emitter, {
    execArgv: [],
    env: {},
    exit: (code: number) => void exits.push(code),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of the process as is used
  holdEarlySignals(process as unknown as SignalProcess, args);
  return { emitter, exits };
}

// G4
test.each([["run"], ["validate"], ["--help"]])("SIGUSR1 has a listener from the beginning: %s", (command) => {
  expect(setUp([command]).emitter.listenerCount("SIGUSR1")).toBe(1);
});

// G12
test("run is not ended by signals that come before the daemon listens, except by one to stop", () => {
  const { emitter, exits } = setUp(["run", "-c", "holdfast.yaml"]);
  for (const signal of ["SIGHUP", "SIGUSR2"]) expect(emitter.emit(signal)).toBe(true);
  expect(exits).toEqual([]);
  emitter.emit("SIGINT");
  emitter.emit("SIGTERM");
  expect(exits).toEqual([130, 143]);
});

test("once the daemon listens a signal to stop is its own", () => {
  const { emitter, exits } = setUp(["run"]);
  emitter.on("SIGTERM", () => {});
  emitter.emit("SIGTERM");
  expect(exits).toEqual([]);
});

test("other commands are ended by signals as usual", () => {
  const { emitter } = setUp(["validate", "holdfast.yaml"]);
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) expect(emitter.listenerCount(signal)).toBe(0);
});
