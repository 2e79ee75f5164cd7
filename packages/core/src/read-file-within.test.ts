import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFileWithin } from "./read-file-within.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-core-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("readFileWithin", () => {
  test("gives the whole file up to the limit", async () => {
    const file = join(folder, "file");
    await writeFile(file, "x".repeat(200_000));
    expect((await readFileWithin(file, { maxBytes: 200_000 }))?.toString()).toBe("x".repeat(200_000));
    expect(await readFileWithin(file, { maxBytes: 199_999 })).toBeUndefined();
    await writeFile(file, "");
    expect((await readFileWithin(file, { maxBytes: 0 }))?.byteLength).toBe(0);
  });

  test.skipIf(process.platform === "win32")(
    "reads no further than the limit of what has no end",
    async () => {
      expect(await readFileWithin("/dev/zero", { maxBytes: 1_000_000 })).toBeUndefined();
    },
  );

  test("throws what the file system says, and hears the signal", async () => {
    const missing = join(folder, "missing");
    await expect(readFileWithin(missing, { maxBytes: 1 })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(readFileWithin(folder, { maxBytes: 1 })).rejects.toMatchObject({ code: "EISDIR" });
    const signal = AbortSignal.abort();
    await expect(readFileWithin(missing, { maxBytes: 1, signal })).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});
