import { chmod } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { useFolder } from "./folder-use.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

// R1.5
describe.skipIf(process.platform === "win32")("useFolder", () => {
  test("finds another process that uses the folder, until that process has ended", async () => {
    using folder = new TemporaryFolder();
    const first = await useFolder(folder.path);
    expect(first.reasons).toEqual([]);
    const second = await useFolder(folder.path);
    expect(second.reasons).toMatchObject([{ code: "STORE_CONFLICT", details: { folder: folder.path } }]);
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    await using third = await useFolder(folder.path);
    expect(third.reasons).toEqual([]);
  });

  test.each([0o777, 0o770, 0o1777, 0o702])(
    "finds that other users may write to a folder of mode %o",
    async (mode) => {
      using folder = new TemporaryFolder();
      await chmod(folder.path, mode);
      await using use = await useFolder(folder.path);
      expect(use.reasons).toMatchObject([
        { code: "CONNECTIVITY_INSECURE", details: { folder: folder.path, mode } },
      ]);
    },
  );

  test.each([0o700, 0o755])("finds nothing wrong with a folder of mode %o, or without one", async (mode) => {
    using folder = new TemporaryFolder();
    await chmod(folder.path, mode);
    await using use = await useFolder(folder.path);
    expect(use.reasons).toEqual([]);
    await using missing = await useFolder(folder.at("missing"));
    expect(missing.reasons).toEqual([]);
  });
});
