import { VirtualClock } from "@holdfast/testing";
import { expect, test, vi } from "vitest";
import { exitProcess, type ExitingProcess } from "./exit-process.ts";

function createProcess(resources: string[], canReplace = true) {
  const calls: unknown[] = [];
  const process = {
    pid: 7,
    execPath: "/node",
    env: { HOME: "/home", NODE_OPTIONS: "--inspect" },
    getActiveResourcesInfo: () => resources,
    exit: vi.fn<(code: number) => void>((code) => void calls.push(["exit", code])),
    kill: (pid: number, signal: string) => void calls.push(["kill", pid, signal]),
    execve: canReplace ? (...args: unknown[]) => void calls.push(["execve", ...args]) : undefined,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the real functions never return
  return { calls, process: process as unknown as ExitingProcess };
}

// R3.5
test("exits at once when no call is in progress, and as soon as calls have ended", async () => {
  const clock = new VirtualClock();
  const resources = ["Timeout", "FSReqPromise"];
  const { calls, process } = createProcess(resources);
  exitProcess(process, 3, clock);
  await clock.advance(100);
  expect(calls).toEqual([]);
  resources.pop();
  await clock.advance(100);
  expect(calls).toEqual([["exit", 3]]);
});

test("is replaced by a process with the same exit code while a call hangs, or killed where that is impossible", async () => {
  const clock = new VirtualClock();
  const { calls, process } = createProcess(["FSReqPromise"]);
  exitProcess(process, 3, clock);
  await clock.advance(1_000);
  expect(calls[0]).toEqual(["execve", "/node", ["/node", "--eval", "process.exit(3)"], { HOME: "/home" }]);
  const other = createProcess(["FSReqPromise"], false);
  exitProcess(other.process, 3, clock);
  await clock.advance(1_000);
  expect(other.calls).toEqual([["kill", 7, "SIGKILL"]]);
});
