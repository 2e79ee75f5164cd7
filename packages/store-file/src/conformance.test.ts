import { readFile, writeFile } from "node:fs/promises";
import { storeConformance } from "@holdfast/conformance";
import { describe, test } from "vitest";
import { FileProviderStore } from "./index.ts";
import { createErrno, interceptFileSystem } from "../test/intercept.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { systemProcesses } from "./writer.ts";

// R1.5
describe("FileProviderStore", () => {
  storeConformance({
    describe,
    test,
    harness: {
      async setup() {
        const folder = new TemporaryFolder();
        const path = folder.at("providers.jsonl");
        let failNext = false;
        const fileSystem = interceptFileSystem(({ name, run }) => {
          if (!failNext || name !== "rename") return run();
          failNext = false;
          throw createErrno("EIO", name);
        });
        return {
          open: () => new FileProviderStore({ path }, { fileSystem, processes: systemProcesses }),
          failNextSave: () => {
            failNext = true;
          },
          damage: async () => writeFile(path, (await readFile(path)).subarray(0, -20)),
          contents: () => readFile(path, "utf8"),
          teardown: async () => folder[Symbol.dispose](),
        };
      },
    },
  });
});
