import { readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import type { KnownServices } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { createErrno, interceptFileSystem } from "../test/intercept.ts";
import { FileDiscoveryStore } from "./index.ts";

const OLD: readonly KnownServices[] = [
  { source: "a", services: [{ name: "orders", values: { namespace: "shop" } }, { name: "billing" }] },
  { source: "b", services: [] },
];
const NEW: readonly KnownServices[] = [{ source: "a", services: [{ name: "orders" }] }];

describe("the file discovery store", () => {
  test("loads what was saved last, and nothing before the first save", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("deep/services.jsonl");
    const store = new FileDiscoveryStore({ path });
    expect(await store.load()).toEqual([]);
    await store.save(OLD);
    expect(await new FileDiscoveryStore({ path }).load()).toEqual(OLD);
    await store.save(NEW);
    expect(await store.load()).toEqual(NEW);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder.at("deep"))).toEqual(["services.jsonl"]);
  });

  test("runs saves in call order", async () => {
    using folder = new TemporaryFolder();
    const store = new FileDiscoveryStore({ path: folder.at("services.jsonl") });
    await Promise.all([store.save(OLD), store.save(NEW), store.save(OLD)]);
    expect(await store.load()).toEqual(OLD);
  });

  test("keeps a symbolic link, and refuses one to a file of another format", async () => {
    using folder = new TemporaryFolder();
    await symlink("target.jsonl", folder.at("link.jsonl"));
    await new FileDiscoveryStore({ path: folder.at("link.jsonl") }).save(OLD);
    expect(await new FileDiscoveryStore({ path: folder.at("target.jsonl") }).load()).toEqual(OLD);
    await writeFile(folder.at("other"), "precious");
    await symlink("other", folder.at("wrong.jsonl"));
    const saving = new FileDiscoveryStore({ path: folder.at("wrong.jsonl") }).save(OLD);
    await expect(saving).rejects.toMatchObject({ code: "STORE_CORRUPTED" });
    expect(await readFile(folder.at("other"), "utf8")).toBe("precious");
  });

  // R1.5
  test.each([
    ["empty", () => "", 1],
    ["cut off", (text: string) => text.slice(0, -20), 3],
    ["without its last line", (text: string) => text.split("\n").slice(0, 2).join("\n") + "\n", 3],
    ["with a line more", (text: string) => `${text}{"source":"c","services":[]}\n`, 4],
    ["with another byte", (text: string) => text.replace("billing", "billinG"), 1],
    ["with an unknown field", (text: string) => text.replace('"name":"billing"', '"name":"b","x":1'), 2],
    ["of another version", (text: string) => text.replace('"version":1', '"version":2'), 1],
  ])("a damaged file (%s) is named with its line, and is never changed", async (_, damage, line) => {
    using folder = new TemporaryFolder();
    const path = folder.at("services.jsonl");
    await new FileDiscoveryStore({ path }).save(OLD);
    const damaged = damage(await readFile(path, "utf8"));
    await writeFile(path, damaged);
    const store = new FileDiscoveryStore({ path, setting: "dataDir" });
    await expect(store.load()).rejects.toMatchObject({
      code: "STORE_CORRUPTED",
      details: { file: path, line },
    });
    await expect(store.save(NEW)).rejects.toMatchObject({ code: "STORE_CORRUPTED" });
    expect(await readFile(path, "utf8")).toBe(damaged);
  });

  test("a crash or a failure at any system call leaves the old or the new content, and the next save works", async () => {
    for (let failing = 0; ; failing++) {
      using folder = new TemporaryFolder();
      const path = folder.at("services.jsonl");
      await new FileDiscoveryStore({ path }).save(OLD);
      let calls = 0;
      await using fileSystem = interceptFileSystem((call) =>
        calls++ === failing ? Promise.reject(createErrno("ENOSPC", call.name)) : call.run(),
      );
      const outcome = await new FileDiscoveryStore({ path, setting: "dataDir" }, fileSystem).save(NEW).then(
        () => "saved",
        (error: unknown) => error,
      );
      const again = new FileDiscoveryStore({ path });
      expect([OLD, NEW]).toContainEqual(await again.load());
      await again.save(NEW);
      expect(await again.load()).toEqual(NEW);
      if (calls <= failing) {
        expect(outcome).toBe("saved");
        break;
      }
      if (outcome !== "saved") expect(outcome).toMatchObject({ code: "STORE_IO" });
    }
  });
});
