import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileAccess } from "./file-access.ts";
import { describeFileFailure } from "./describe-file-failure.ts";
import { ManualClock } from "../../../test/manual-clock.ts";
import { readFileWithin } from "./read-file-within.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-core-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("readFileWithin", () => {
  test("reads a whole file up to the limit", async () => {
    const file = join(folder, "file");
    await writeFile(file, "x".repeat(200_000));
    expect((await readFileWithin(file, { maxBytes: 200_000 }))?.toString()).toBe("x".repeat(200_000));
    expect(await readFileWithin(file, { maxBytes: 199_999 })).toBeUndefined();
    await writeFile(file, "");
    expect((await readFileWithin(file, { maxBytes: 0 }))?.byteLength).toBe(0);
  });

  // R2.6: none of these may block a thread of the pool, or be read without end.
  describe.skipIf(process.platform === "win32")("what is not a regular file is refused at once", () => {
    test.each([
      ["a named pipe", async (path: string) => void execFileSync("mkfifo", [path])],
      ["a device", (path: string) => symlink("/dev/zero", path)],
      ["a folder", (path: string) => mkdir(path)],
    ])("%s", async (kind, make) => {
      const path = join(folder, kind);
      await make(path);
      const error: unknown = await readFileWithin(path, { maxBytes: 10 }).catch((reason: unknown) => reason);
      expect(describeFileFailure(error)).toBe(
        `it is ${kind}, not a regular file${kind === "a folder" ? " (EISDIR)" : ""}`,
      );
    });

    test("a socket", async () => {
      const path = join(folder, "socket");
      await using server = createServer().listen(path);
      await once(server, "listening");
      const error: unknown = await readFileWithin(path, { maxBytes: 10 }).catch((reason: unknown) => reason);
      expect(describeFileFailure(error)).toBe("it is a socket or a device, not a regular file (ENXIO)");
    });
  });

  test.skipIf(process.platform !== "linux")("reads a file that reports a size of 0", async () => {
    const status = await readFileWithin("/proc/self/status", { maxBytes: 100_000 });
    expect(status?.toString()).toContain("Pid:");
  });

  // R1.4, R2.6
  test("times out on a file that hangs, while others are read", async () => {
    const file = join(folder, "hangs");
    const other = join(folder, "other");
    await writeFile(file, "late");
    await writeFile(other, "other");
    const hang = Promise.withResolvers<void>();
    const hanging = fileAccess.run(file, () => hang.promise);
    const clock = new ManualClock();
    const reads = [1, 2, 3].map(() => readFileWithin(file, { maxBytes: 10, clock, withinMs: 100 }));
    clock.advance(99);
    expect((await readFileWithin(other, { maxBytes: 10, clock }))?.toString()).toBe("other");
    clock.advance(1);
    for (const read of reads) {
      await expect(read).rejects.toMatchObject({
        code: "CONNECTIVITY_TIMEOUT",
        details: { file, withinMs: 100 },
      });
    }
    const next = readFileWithin(file, { maxBytes: 10, clock });
    hang.resolve();
    await hanging;
    expect((await next)?.toString()).toBe("late");
    expect(clock.pendingTimers).toBe(0);
  });

  test("callers before a read starts share it, and later callers get newer content", async () => {
    const file = join(folder, "shared");
    await writeFile(file, "old");
    const hang = Promise.withResolvers<void>();
    const hanging = fileAccess.run(file, () => hang.promise);
    const [first, second] = [1, 2].map(() => readFileWithin(file, { maxBytes: 10 }));
    hang.resolve();
    await hanging;
    expect(await first).toBe(await second);
    await writeFile(file, "new");
    expect((await readFileWithin(file, { maxBytes: 10 }))?.toString()).toBe("new");
  });

  test("throws the error of the file system, or the reason of the signal", async () => {
    const missing = join(folder, "missing");
    await expect(readFileWithin(missing, { maxBytes: 1 })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(readFileWithin(folder, { maxBytes: 1 })).rejects.toMatchObject({ code: "EISDIR" });
    const signal = AbortSignal.abort();
    await expect(readFileWithin(missing, { maxBytes: 1, signal })).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
  });
});
