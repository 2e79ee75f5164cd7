import { execFileSync } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { dirname } from "node:path";
import * as fc from "fast-check";
import type { ProviderDescriptor } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { FileProviderStore } from "./index.ts";
import { createDescriptor, idsOf } from "../test/descriptors.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

const isRoot = process.geteuid?.() === 0;

describe("keeping a set", () => {
  // R1.5
  test("restores exactly the saved set, in order, with the reasons why providers are disabled", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const all: readonly ProviderDescriptor[] = [
      createDescriptor("zeta", { nested: { list: [1, null, "ü€𝄞\u2028\n"] }, token: { env: "TOKEN" } }),
      {
        ...createDescriptor("alpha"),
        priority: -3,
        disabled: { code: "VALIDATION_MISSING_CAPABILITY", message: "it cannot watch" },
      },
    ];
    await new FileProviderStore({ path }).save(all);
    expect(await new FileProviderStore({ path }).load()).toEqual(all);
  });

  // R1.5
  test("restores any set of descriptors", async () => {
    using folder = new TemporaryFolder();
    const store = new FileProviderStore({ path: folder.at("providers.jsonl") });
    await fc.assert(
      fc.asyncProperty(descriptorSets, async (all) => {
        await store.save(all);
        expect(await store.load()).toStrictEqual(all);
      }),
      { numRuns: 60 },
    );
  });

  test("neither reads nor writes a file above the size limit", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const large = createDescriptor("a", { note: "x".repeat(67_108_864) });
    await expect(new FileProviderStore({ path }).save([large])).rejects.toMatchObject({
      code: "VALIDATION_MALFORMED",
      details: { maxBytes: 67_108_864 },
    });
    expect(await readdir(folder.path)).toEqual([]);
    await writeFile(path, "");
    await truncate(path, 67_108_865);
    await expect(new FileProviderStore({ path }).load()).rejects.toMatchObject({
      code: "STORE_CORRUPTED",
      details: { maxBytes: 67_108_864 },
    });
  });

  test("treats a missing file or folder as the empty set", async () => {
    using folder = new TemporaryFolder();
    expect(await new FileProviderStore({ path: folder.at("none.jsonl") }).load()).toEqual([]);
    expect(await new FileProviderStore({ path: folder.at("no/folder/none.jsonl") }).load()).toEqual([]);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("stores the empty set", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const store = new FileProviderStore({ path });
    await store.save([createDescriptor("a")]);
    await store.save([]);
    expect(await new FileProviderStore({ path }).load()).toEqual([]);
    expect((await readFile(path, "utf8")).split("\n")).toHaveLength(2);
  });

  test("the checksum is that of everything after the first line", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    await new FileProviderStore({ path }).save([createDescriptor("a", {})]);
    expect(await readFile(path, "utf8")).toBe(
      '{"format":"holdfast-providers","version":1,"generation":1,"count":1,' +
        '"sha256":"7d461a158cf132314cace6bb8058af49e895be07af2e564bf1c672a90006100f"}\n' +
        '{"id":"a","kind":"file","priority":100,"params":{}}\n',
    );
  });

  test("runs the calls on one store in call order", async () => {
    using folder = new TemporaryFolder();
    const store = new FileProviderStore({ path: folder.at("providers.jsonl") });
    const ids = ["a", "b", "c", "d"];
    const loads = ids.map((id) => {
      void store.save([createDescriptor(id)]);
      return store.load();
    });
    expect((await Promise.all(loads)).map(idsOf)).toEqual(ids.map((id) => [id]));
  });

  test("saves the set as it was when save was called", async () => {
    using folder = new TemporaryFolder();
    const store = new FileProviderStore({ path: folder.at("providers.jsonl") });
    const all = [createDescriptor("a")];
    const saved = store.save(all);
    all.push(createDescriptor("b"));
    await saved;
    expect(idsOf(await store.load())).toEqual(["a"]);
  });
});

describe("a set that could not be read back", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const refused: readonly (readonly [string, unknown])[] = [
    ["a function", { call: () => 1 }],
    ["a date", { at: new Date(0) }],
    ["a number that is NaN", { list: [Number.NaN] }],
    ["a big integer", { n: 1n }],
    ["a hole in a list", { list: [1, undefined] }],
    ["a map", new Map()],
    ["itself", cyclic],
    ["nothing", undefined],
  ];
  test.each(refused)("is refused when its params hold %s", async (_, params) => {
    using folder = new TemporaryFolder();
    const store = new FileProviderStore({ path: folder.at("providers.jsonl") });
    const all = [createDescriptor("ok"), { ...createDescriptor("bad"), params }];
    await expect(store.save(all)).rejects.toMatchObject({ code: "VALIDATION_MALFORMED" });
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("is refused when an id is malformed or occurs twice", async () => {
    using folder = new TemporaryFolder();
    const store = new FileProviderStore({ path: folder.at("providers.jsonl") });
    await expect(store.save([createDescriptor("a"), createDescriptor("a")])).rejects.toMatchObject({
      code: "VALIDATION_DUPLICATE_ID",
      details: { id: "a" },
    });
    await expect(store.save([createDescriptor("a"), createDescriptor("no id")])).rejects.toMatchObject({
      code: "VALIDATION_MALFORMED",
      details: { problems: [{ path: "[1].id" }] },
    });
  });
});

describe("the file", () => {
  // R1.6
  test("can be read only by its owner, also when others could read the file it replaces", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const store = new FileProviderStore({ path });
    await store.save([createDescriptor("a")]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await chmod(path, 0o644);
    await store.save([createDescriptor("b")]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("is put into a new folder that only its owner can access", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("new/deep/providers.jsonl");
    await new FileProviderStore({ path }).save([createDescriptor("a")]);
    expect(idsOf(await new FileProviderStore({ path }).load())).toEqual(["a"]);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect((await stat(dirname(dirname(path)))).mode & 0o777).toBe(0o700);
  });

  test.runIf(isRoot)("keeps its owner when root saves it", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const store = new FileProviderStore({ path });
    await store.save([createDescriptor("a")]);
    await chown(path, 4_711, 4_712);
    await store.save([createDescriptor("b")]);
    expect(await stat(path)).toMatchObject({ uid: 4_711, gid: 4_712 });
  });

  test("stays a symbolic link, relative or absolute, and its target is replaced", async () => {
    using folder = new TemporaryFolder();
    await mkdir(folder.at("data"));
    await mkdir(folder.at("etc"));
    const target = folder.at("data/providers.jsonl");
    await new FileProviderStore({ path: target }).save([createDescriptor("a")]);
    for (const link of ["../data/providers.jsonl", target]) {
      const path = folder.at("etc/providers.jsonl");
      await symlink(link, path);
      const store = new FileProviderStore({ path });
      const before = await store.load();
      await store.save([...before, createDescriptor(`via-${before.length}`)]);
      expect(await readlink(path)).toBe(link);
      await rm(path);
    }
    expect(idsOf(await new FileProviderStore({ path: target }).load())).toEqual(["a", "via-1", "via-2"]);
    expect(await readdir(folder.at("etc"))).toEqual([]);
  });

  test("is created at the end of symbolic links that have no target yet", async () => {
    using folder = new TemporaryFolder();
    await mkdir(folder.at("data"));
    await mkdir(folder.at("etc/deep"), { recursive: true });
    await symlink("etc/deep", folder.at("config"));
    await symlink("../../first.jsonl", folder.at("etc/deep/providers.jsonl"));
    await symlink("data/second.jsonl", folder.at("first.jsonl"));
    const store = new FileProviderStore({ path: folder.at("config/providers.jsonl") });
    expect(await store.load()).toEqual([]);
    await store.save([createDescriptor("a")]);
    expect(await readlink(folder.at("config/providers.jsonl"))).toBe("../../first.jsonl");
    expect(await readlink(folder.at("first.jsonl"))).toBe("data/second.jsonl");
    expect(await readdir(folder.at("data"))).toEqual(["second.jsonl"]);
    expect(idsOf(await store.load())).toEqual(["a"]);
  });

  test("refuses at once a path that is not a regular file, such as a pipe that would never end", async () => {
    using folder = new TemporaryFolder();
    await mkdir(folder.at("folder"));
    execFileSync("mkfifo", [folder.at("pipe")]);
    await symlink("/dev/zero", folder.at("device"));
    for (const name of ["folder", "pipe", "device"]) {
      const store = new FileProviderStore({ path: folder.at(name) });
      const refusal = { code: "STORE_IO", message: expect.stringContaining("is not a regular file") };
      await expect(store.load()).rejects.toMatchObject(refusal);
      await expect(store.save([])).rejects.toMatchObject(refusal);
    }
    expect((await readdir(folder.path)).sort()).toEqual(["device", "folder", "pipe"]);
  });

  test("fails with STORE_IO, the call and the code when a system call fails", async () => {
    using folder = new TemporaryFolder();
    await writeFile(folder.at("file"), "");
    await symlink("loop", folder.at("loop"));
    const cases = [
      ["file/providers.jsonl", { operation: "realpath", code: "ENOTDIR" }],
      ["loop", { operation: "realpath", code: "ELOOP" }],
    ] as const;
    for (const [name, details] of cases) {
      const file = folder.at(name);
      const expected = { code: "STORE_IO", details: { file, ...details } };
      const store = new FileProviderStore({ path: file });
      await expect(store.load()).rejects.toMatchObject(expected);
      await expect(store.save([])).rejects.toMatchObject(expected);
    }
  });
});

describe("several stores on one file", () => {
  test("a save is refused when another store saved, deleted or created the file in between", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const ours = new FileProviderStore({ path });
    const theirs = new FileProviderStore({ path });
    const conflict = { code: "STORE_CONFLICT", retryable: true, details: { file: path } };
    await ours.load();
    await theirs.save([createDescriptor("theirs")]);
    await expect(ours.save([createDescriptor("ours")])).rejects.toMatchObject(conflict);
    await ours.save([...(await ours.load()), createDescriptor("ours")]);
    await expect(theirs.save([])).rejects.toMatchObject(conflict);
    await rm(path);
    await expect(ours.save([])).rejects.toMatchObject(conflict);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("a store that never loaded does not replace an existing set", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    await new FileProviderStore({ path }).save([createDescriptor("a")]);
    await expect(new FileProviderStore({ path }).save([])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(idsOf(await new FileProviderStore({ path }).load())).toEqual(["a"]);
  });

  test("an equal set counts as changed when other sets were saved in between", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const ours = new FileProviderStore({ path });
    await ours.save([createDescriptor("a")]);
    const theirs = new FileProviderStore({ path });
    const before = await theirs.load();
    await theirs.save([]);
    await theirs.save(before);
    await expect(ours.save([])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
  });

  test("a set with the same generation and different content counts as changed", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const store = new FileProviderStore({ path });
    await store.save([createDescriptor("a")]);
    await rm(path);
    await new FileProviderStore({ path }).save([createDescriptor("b")]);
    await expect(store.save([])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
  });
});

const unicode = fc.string({ unit: "binary" });
const plain = { noNullPrototype: true };
const descriptors: fc.Arbitrary<ProviderDescriptor> = fc.record(
  {
    id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
    kind: fc.string({ unit: "grapheme", minLength: 1 }),
    priority: fc.integer(),
    params: fc.dictionary(unicode, fc.jsonValue({ stringUnit: "binary" })).map(asJson),
    disabled: fc.record({ code: fc.constant("CONNECTIVITY_REFUSED" as const), message: unicode }, plain),
  },
  { ...plain, requiredKeys: ["id", "kind", "priority", "params"] },
);

const descriptorSets = fc.uniqueArray(descriptors, {
  maxLength: 12,
  selector: (descriptor) => descriptor.id,
});

/** The value after a round trip through JSON, which has one zero and one kind of object. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
