import { mkdirSync } from "node:fs";
import { relative } from "node:path";
import { systemClock } from "@holdfast/core";
import { describe, expect, expectTypeOf, test } from "vitest";
import { file } from "./file.ts";
import type { FileParams, FileSettings } from "./file-params.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { toJson } from "../test/topology-json.ts";

const context = { clock: systemClock, random: () => 0.5, heartbeatMs: 5_000 };
const { signal } = new AbortController();

describe("file", () => {
  test("resolves a relative path from its base folder, by default from the current one", async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.at("d"));
    folder.write("d/t.json", toJson([]));
    const based = file.createAdapter({ baseDir: folder.path });
    await providerOf(based, "d/t.json").probe({ signal });
    await providerOf(based, folder.at("d/t.json")).probe({ signal });
    const loose = file.createAdapter();
    await providerOf(loose, relative(process.cwd(), folder.at("d/t.json"))).probe({ signal });
    await expect(providerOf(loose, "d/t.json").probe({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_REFUSED",
    });
  });

  test("creates a provider without I/O, and keeps its descriptor", () => {
    const adapter = file.createAdapter({ baseDir: "/nowhere" });
    const provider = providerOf(adapter, "t.json");
    expect(provider.descriptor).toMatchObject({ id: "test", kind: "file", params: { path: "t.json" } });
    expect(provider.capabilities).toEqual({ watch: true });
  });
});

test("a program only needs to pass the path", () => {
  expect(file({ path: "t.json" })).toMatchObject({ kind: "file", params: { path: "t.json" } });
  expectTypeOf<{ path: string }>().toExtend<FileParams>();
  expectTypeOf<{ format: "json" }>().not.toExtend<FileParams>();
  expectTypeOf<FileSettings["pollMs"]>().toEqualTypeOf<number>();
});

function providerOf(adapter: ReturnType<typeof file.createAdapter>, path: string) {
  return adapter.create(
    { id: "test", kind: "file", priority: 1, params: adapter.params.parse({ path }) },
    context,
  );
}
