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
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of the process that is used
  holdEarlySignals(process as unknown as SignalProcess, args);
  return { emitter, exits };
}

// G4
test.each([["run"], ["validate"], ["--help"]])("SIGUSR1 has a listener from the start: %s", (command) => {
  expect(setUp([command]).emitter.listenerCount("SIGUSR1")).toBe(1);
});

// G12
test("before the daemon listens, run is ended only by signals to stop", () => {
  const { emitter, exits } = setUp(["run", "-c", "holdfast.yaml"]);
  for (const signal of ["SIGHUP", "SIGUSR2"]) expect(emitter.emit(signal)).toBe(true);
  expect(exits).toEqual([]);
  emitter.emit("SIGINT");
  emitter.emit("SIGTERM");
  expect(exits).toEqual([130, 143]);
});

test("once the daemon listens, it handles a signal to stop", () => {
  const { emitter, exits } = setUp(["run"]);
  emitter.on("SIGTERM", () => {});
  emitter.emit("SIGTERM");
  expect(exits).toEqual([]);
});

test("signals end other commands as usual", () => {
  const { emitter } = setUp(["validate", "holdfast.yaml"]);
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) expect(emitter.listenerCount(signal)).toBe(0);
});
