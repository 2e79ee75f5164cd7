import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { systemBeacons } from "./beacon.ts";
import { hasPidNamespaces, IN_PID_NAMESPACE } from "../test/pid-namespace.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

const SCRIPT = fileURLToPath(new URL("../test/light-beacon.ts", import.meta.url));

async function startLighting(path: string, starter: readonly string[] = []) {
  const [program, ...args] = [...starter, process.execPath, SCRIPT, path];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

// R1.5
describe.skipIf(process.platform === "win32")("a beacon", () => {
  test("is lit until it is disposed of, and then leaves no file behind", async () => {
    using folder = new TemporaryFolder();
    const beacon = await systemBeacons.light(folder.at("a"));
    expect(await systemBeacons.isLit(folder.at("a"))).toBe(true);
    await beacon![Symbol.asyncDispose]();
    expect(await systemBeacons.isLit(folder.at("a"))).toBeUndefined();
    expect(await readdir(folder.path)).toEqual([]);
  });

  test.skipIf(process.platform !== "linux")(
    "works in a folder whose path is too long for a socket",
    async () => {
      using folder = new TemporaryFolder();
      const long = join(folder.path, "x".repeat(200));
      await mkdir(long);
      const path = join(long, "a");
      await using beacon = await systemBeacons.light(path);
      expect(beacon).toBeDefined();
      expect(await systemBeacons.isLit(path)).toBe(true);
    },
  );

  test("has an unknown state when the file is missing or is another file, and does not replace an existing file", async () => {
    using folder = new TemporaryFolder();
    await writeFile(folder.at("a"), "text");
    expect(await systemBeacons.light(folder.at("a"))).toBeUndefined();
    expect(await systemBeacons.light(folder.at("missing/a"))).toBeUndefined();
    expect(await systemBeacons.isLit(folder.at("missing"))).toBeUndefined();
    await rm(folder.at("a"));
    expect(await systemBeacons.isLit(folder.path)).not.toBe(true);
  });

  const starters: [string, readonly string[]][] = [["", []]];
  if (hasPidNamespaces()) starters.push([" in another PID namespace", IN_PID_NAMESPACE]);

  test.each(starters)(
    "goes out when its process%s is killed, and stays lit while the process is stopped",
    async (_, starter) => {
      using folder = new TemporaryFolder();
      const path = folder.at("a");
      const child = await startLighting(path, starter);
      expect(await systemBeacons.isLit(path)).toBe(true);
      child.kill("SIGSTOP");
      expect(await systemBeacons.isLit(path)).toBe(true);
      child.kill("SIGKILL");
      await once(child, "close");
      await expect.poll(() => systemBeacons.isLit(path), { timeout: 30_000 }).toBe(false);
    },
    60_000,
  );
});
