import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { placeOf, systemProcesses } from "./writer.ts";

const isLinux = process.platform === "linux";

describe("whether a process is gone", () => {
  test("this one is not", async () => {
    const self = await systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(await systemProcesses.isGone(self)).toBe(false);
    expect(await systemProcesses.isGone({ ...self, startTime: "" })).toBe(false);
  });

  test("one that has ended is", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    expect(await systemProcesses.isGone({ pid, startTime: "" })).toBe(true);
    expect(await systemProcesses.isGone({ pid, startTime: "12" })).toBe(true);
  });

  test.runIf(isLinux)("one whose pid another process has now is", async () => {
    const self = await systemProcesses.self();
    expect(await systemProcesses.isGone({ ...self, startTime: `${self.startTime}0` })).toBe(true);
  });

  test.runIf(isLinux)("one that has ended and was not waited for is", async () => {
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

test("a place is the same for one host, boot and pid namespace, and no other", async () => {
  const self = await systemProcesses.self();
  expect(placeOf({ ...self, pid: 1, startTime: "1" })).toBe(placeOf(self));
  expect(placeOf({ ...self, host: "elsewhere" })).not.toBe(placeOf(self));
  expect(placeOf({ ...self, bootId: "earlier" })).not.toBe(placeOf(self));
  expect(placeOf({ ...self, pidNamespace: "inner" })).not.toBe(placeOf(self));
});
