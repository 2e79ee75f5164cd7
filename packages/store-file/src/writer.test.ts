import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { placeOf, systemProcesses } from "./writer.ts";

const isLinux = process.platform === "linux";

describe("whether a process is gone", () => {
  test("the current process is not", async () => {
    const self = await systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(await systemProcesses.isGone(self)).toBe(false);
    expect(await systemProcesses.isGone({ ...self, startTime: "" })).toBe(false);
  });

  test("a process that has ended is", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    expect(await systemProcesses.isGone({ pid, startTime: "" })).toBe(true);
    expect(await systemProcesses.isGone({ pid, startTime: "12" })).toBe(true);
  });

  test.runIf(isLinux)("a process whose pid now belongs to another process is", async () => {
    const self = await systemProcesses.self();
    expect(await systemProcesses.isGone({ ...self, startTime: `${self.startTime}0` })).toBe(true);
  });

  test.runIf(isLinux)("a zombie process is", async () => {
    // The shell becomes `cat`, which never waits for the child that the shell had started.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const [output] = await once(parent.stdout, "data");
      const pid = Number(output);
      let stat = "";
      while (!stat.includes(") Z ")) stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const startTime = stat.split(" ")[21]!;
      expect(await systemProcesses.isGone({ pid, startTime })).toBe(true);
    } finally {
      parent.stdin.end();
      await once(parent, "exit");
    }
  });
});

test("two writers share a place exactly when host, boot and pid namespace are the same", async () => {
  const self = await systemProcesses.self();
  expect(placeOf({ ...self, pid: 1, startTime: "1" })).toBe(placeOf(self));
  expect(placeOf({ ...self, host: "elsewhere" })).not.toBe(placeOf(self));
  expect(placeOf({ ...self, bootId: "earlier" })).not.toBe(placeOf(self));
  expect(placeOf({ ...self, pidNamespace: "inner" })).not.toBe(placeOf(self));
});
