import { execFile, spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { FileGenerationStore } from "./index.ts";
import { createErrno, interceptFileSystem, type Interceptor } from "../test/intercept.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { systemProcesses, type ProcessTable } from "./writer.ts";

const run = promisify(execFile);
const TAKER = fileURLToPath(new URL("../test/take-generations.ts", import.meta.url));

/** The identity of a process that has ended, for the stores that crash. */
const { pid } = spawnSync(process.execPath, ["--version"]);
const endedProcess: ProcessTable = {
  ...systemProcesses,
  self: async () => ({ ...(await systemProcesses.self()), pid }),
};

function next(path: string, atLeast = 1): Promise<number> {
  return new FileGenerationStore({ path }).next({ atLeast });
}

describe("the file generation store", () => {
  // R4.1
  test("returns a greater number each time, also from a new store and when `atLeast` is lower than before", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("new/deep/generation.json");
    const store = new FileGenerationStore({ path });
    expect(await store.next({ atLeast: 1_000_000 })).toBe(1_000_000);
    expect(await store.next({ atLeast: 940_000 })).toBe(1_000_001);
    expect(await next(path, 940_000)).toBe(1_000_002);
    expect(await next(path, 2_000_000)).toBe(2_000_000);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder.at("new/deep"))).toEqual(["generation.json"]);
  });

  test("starts at `atLeast` when the file was lost", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("generation.json");
    await next(path, 5_000);
    await rm(path);
    expect(await next(path, 6_000)).toBe(6_000);
  });

  test("keeps a symbolic link", async () => {
    using folder = new TemporaryFolder();
    await symlink("target.json", folder.at("link.json"));
    await next(folder.at("link.json"), 8);
    expect(await next(folder.at("target.json"))).toBe(9);
  });

  test.each([Number.NaN, 0.5, Number.MAX_VALUE])("does not store %s", async (atLeast) => {
    using folder = new TemporaryFolder();
    const path = folder.at("generation.json");
    await expect(next(path, atLeast + 1)).rejects.toMatchObject({ code: "VALIDATION_MALFORMED" });
    expect(await next(path, 3)).toBe(3);
  });

  // R1.5
  test("refuses a file with any byte changed or cut off, and does not change it", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("generation.json");
    await next(path, 1_790_000_000_000);
    const whole = await readFile(path);
    const damaged = [...whole.keys()].flatMap((at) => {
      const flipped = Buffer.from(whole);
      flipped[at] = flipped[at]! ^ 1;
      return [flipped, whole.subarray(0, at)];
    });
    damaged.push(Buffer.concat([whole, whole]), Buffer.from("\n"));
    for (const bytes of damaged) {
      await writeFile(path, bytes);
      await expect(next(path)).rejects.toMatchObject({
        code: "STORE_CORRUPTED",
        message: expect.stringContaining(path),
        details: { file: path, line: expect.any(Number), reason: expect.any(String) },
      });
      expect(await readFile(path)).toEqual(bytes);
    }
    expect(await readdir(folder.path)).toEqual(["generation.json"]);
  });

  // R1.6
  test("refuses a link to a file of another format, without quoting or replacing that file", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("generation.json");
    await writeFile(folder.at("other"), '{"token":"secret-of-a-test"}\n');
    await symlink("other", path);
    const error = (await next(path).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: "STORE_CORRUPTED" });
    expect(`${error.stack} ${String(error.cause)}`).not.toContain("secret-of-a-test");
    expect(await readFile(folder.at("other"), "utf8")).toContain("secret-of-a-test");
  });

  test("a system error names the file, the call and the setting", async () => {
    using folder = new TemporaryFolder();
    await mkdir(folder.at("generation.json"));
    const path = folder.at("generation.json");
    await expect(new FileGenerationStore({ path }).next({ atLeast: 1 })).rejects.toMatchObject({
      code: "STORE_IO",
      details: { file: path },
    });
    const full = interceptFileSystem(async ({ name, run: call }) => {
      if (name === "writeFile") throw createErrno("ENOSPC", "write");
      return call();
    });
    const other = folder.at("other.json");
    const system = { fileSystem: full, processes: systemProcesses };
    const store = new FileGenerationStore({ path: other, setting: "dataDir" }, system);
    await expect(store.next({ atLeast: 1 })).rejects.toMatchObject({
      code: "STORE_IO",
      message: expect.stringContaining('its path is set by "dataDir"'),
      details: { file: other, operation: "write", code: "ENOSPC" },
    });
    await full[Symbol.asyncDispose]();
  });

  test("stops when its signal aborts, and uses no number", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("generation.json");
    const store = new FileGenerationStore({ path });
    const aborted = store.next({ atLeast: 1, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect(await readdir(folder.path)).toEqual([]);
  });
});

/**
 * Takes a number again and again, each time with a fault at a later call, until the fault is beyond the last call.
 * Returns the number of calls.
 */
async function atEveryCall(
  processes: ProcessTable,
  createFault: (at: number) => { readonly intercept: Interceptor; readonly calls: () => number },
  check: (failure: unknown, path: string, store: FileGenerationStore) => Promise<void>,
): Promise<number> {
  for (let at = 1; ; at++) {
    using folder = new TemporaryFolder();
    const path = folder.at("generation.json");
    const before = await next(path, 1_000);
    const whole = await readFile(path);
    const { intercept, calls } = createFault(at);
    await using fileSystem = interceptFileSystem(intercept);
    const store = new FileGenerationStore({ path }, { fileSystem, processes });
    const given: unknown = await store.next({ atLeast: 1 }).catch((error: unknown) => error);
    if (calls() < at) {
      expect(given).toBe(before + 1);
      return calls();
    }
    // The file holds the old or the new content, never a part of it.
    const isOld = (await readFile(path)).equals(whole);
    // A call that returned a number has stored it.
    if (typeof given === "number") expect(isOld).toBe(false);
    await check(given, path, store);
    const later = await next(path);
    expect(later).toBeGreaterThan(typeof given === "number" ? given : before);
    expect(await next(path)).toBe(later + 1);
    expect(await readdir(folder.path)).toEqual(["generation.json"]);
  }
}

describe.each(["in", "after"] as const)("%s any system call", (extent) => {
  const crashAt = (at: number) => {
    let count = 0;
    const intercept: Interceptor = async ({ run: call, runPartly }) => {
      count++;
      if (count < at) return call();
      if (count === at) await (extent === "after" ? call() : runPartly?.());
      throw new Error("crashed");
    };
    return { intercept, calls: () => count };
  };

  const failAt = (at: number) => {
    let count = 0;
    const intercept: Interceptor = async ({ name, run: call, runPartly }) => {
      if (++count !== at) return call();
      // A file is closed even when closing it reports an error.
      if (extent === "after" || name === "close") await call();
      else await runPartly?.();
      throw createErrno("EIO", name);
    };
    return { intercept, calls: () => count };
  };

  // R4.1 R1.5
  test("a crash leaves the old or the new number, and no number is returned twice", async () => {
    expect(await atEveryCall(endedProcess, crashAt, async () => {})).toBeGreaterThan(15);
  });

  test("an I/O error is reported or harmless, and no number is returned twice", async () => {
    await atEveryCall(systemProcesses, failAt, async (failure, path, store) => {
      if (typeof failure !== "number")
        expect(failure).toMatchObject({ code: "STORE_IO", details: { file: path, code: "EIO" } });
      // The store remains usable, and removes the files that it could not remove before.
      expect(await store.next({ atLeast: 1 })).toBeGreaterThan(1_000);
    });
  });
});

// R4.1
test("the number is durable before it is returned", async () => {
  using folder = new TemporaryFolder();
  const path = folder.at("generation.json");
  await next(path);
  const steps: string[] = [];
  await using fileSystem = interceptFileSystem(({ name, path: at, run: call }) => {
    // The second side file is the claim, which is written after the temporary file.
    const file = at === path ? "the file" : at === folder.path ? "the folder" : "a side file";
    if (["writeFile", "sync", "rename"].includes(name)) steps.push(`${name} ${file}`);
    return call();
  });
  const system = { fileSystem, processes: systemProcesses };
  await new FileGenerationStore({ path }, system).next({ atLeast: 1 });
  expect(steps).toEqual([
    "writeFile a side file",
    "sync a side file",
    "writeFile a side file",
    "sync a side file",
    "rename the file",
    "sync the folder",
  ]);
});

// R4.1
test("processes and stores that take numbers at the same time never get the same one", async () => {
  using folder = new TemporaryFolder();
  const path = folder.at("generation.json");
  const processes = Array.from({ length: 3 }, async () => {
    const { stdout } = await run(process.execPath, [TAKER, path, "5"]);
    return stdout.trim().split("\n").map(Number);
  });
  const here = Array.from({ length: 3 }, async () => [await next(path)]);
  const all = (await Promise.all([...processes, ...here])).flat();
  expect(new Set(all).size).toBe(18);
  // A call that had to retry did not use up a number.
  expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
  expect(await readdir(folder.path)).toEqual(["generation.json"]);
}, 60_000);
