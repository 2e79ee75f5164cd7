import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nodeFileSystem, type FileSystem } from "./file-system.ts";
import { FileProviderStore } from "./index.ts";
import { beaconName, claimName, temporaryName } from "./side-file-name.ts";
import { createDescriptor, idsOf } from "../test/descriptors.ts";
import { createErrno, interceptFileSystem } from "../test/intercept.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { placeOf, type ProcessTable, type Writer } from "./writer.ts";

const BASE = "providers.jsonl";
const SELF: Writer = { pid: 100, startTime: "1", host: "here", bootId: "this", pidNamespace: "one" };
const ALIVE: Writer = { ...SELF, pid: 200 };
const GONE: Writer = { ...SELF, pid: 300 };
const CONTAINER: Writer = { ...SELF, host: "container", pidNamespace: "two" };
const MACHINE: Writer = { ...SELF, host: "machine", bootId: "other" };
const EARLIER: Writer = { ...SELF, bootId: "other" };
const processes: ProcessTable = { self: async () => SELF, isGone: async ({ pid }) => pid === GONE.pid };

/** statfs(2) type of NFS. */
const sharedFolder: FileSystem = interceptFileSystem(({ run }) => run());
sharedFolder.statfs = async () => ({ type: 0x6969 });
const localFolder: FileSystem = interceptFileSystem(({ run }) => run());
localFolder.statfs = async () => ({ type: 0xef53 });

function createStore(path: string, fileSystem: FileSystem = localFolder): FileProviderStore {
  return new FileProviderStore({ path }, { fileSystem, processes });
}

const claimText = (writer: Writer) => JSON.stringify({ writer, instance: "aa" });

function temporaryOf(writer: Writer, generation: number): string {
  return temporaryName(BASE, { generation, writer, place: placeOf(writer), instance: "aa", random: "bb" });
}

describe("a claim on the next generation", () => {
  // R1.5
  test.each([
    ["lives", ALIVE, localFolder, 'process 200 on host "here"'],
    ["is in another container", CONTAINER, localFolder, 'process 100 on host "container"'],
    [
      "is in a container with a different boot id",
      { ...CONTAINER, bootId: "other" },
      localFolder,
      'process 100 on host "container"',
    ],
    ["is on another machine", MACHINE, sharedFolder, 'process 100 on host "machine"'],
    ["may be on another machine", EARLIER, sharedFolder, 'process 100 on host "here"'],
  ] as const)(
    "blocks other saves while its writer %s, and the error names the writer",
    async (_, writer, fileSystem, who) => {
      using folder = new TemporaryFolder();
      const path = folder.at(BASE);
      const store = createStore(path, fileSystem);
      await store.save([createDescriptor("a")]);
      const claimFile = folder.at(claimName(BASE, 2, 0));
      await writeFile(claimFile, claimText(writer));
      await expect(store.save([])).rejects.toMatchObject({
        code: "STORE_CONFLICT",
        message: `[STORE_CONFLICT] ${who} is saving "${path}"; if that process is known to be gone, remove "${claimFile}"`,
        details: { file: path, claimFile, pid: writer.pid, host: writer.host },
      });
      expect((await readdir(folder.path)).sort()).toEqual([claimName(BASE, 2, 0), BASE]);
      expect(idsOf(await store.load())).toEqual(["a"]);
      await rm(claimFile);
      await store.save([]);
    },
  );

  test.each([
    ["has ended", GONE],
    ["lived before the machine started again", EARLIER],
    ["lived before that, when the machine had another name", { ...EARLIER, host: "former" }],
  ])("is passed over when its writer %s", async (_, writer) => {
    using folder = new TemporaryFolder();
    const store = createStore(folder.at(BASE));
    await store.save([createDescriptor("a")]);
    await writeFile(folder.at(claimName(BASE, 2, 0)), claimText(writer));
    await writeFile(folder.at(claimName(BASE, 2, 1)), claimText(GONE));
    await store.save([createDescriptor("b")]);
    expect(idsOf(await store.load())).toEqual(["b"]);
    expect(await readdir(folder.path)).toEqual([BASE]);
  });

  test("blocks other saves when it cannot be parsed", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at(BASE);
    const claimFile = folder.at(claimName(BASE, 1, 0));
    await writeFile(claimFile, "");
    await expect(createStore(path).save([])).rejects.toMatchObject({
      code: "STORE_CONFLICT",
      message: expect.stringContaining(`another process is saving "${path}"`),
      details: { claimFile },
    });
    expect(await readdir(folder.path)).toEqual([claimName(BASE, 1, 0)]);
  });

  test("names its writer", async () => {
    using folder = new TemporaryFolder();
    let text = "";
    const fileSystem = interceptFileSystem(async ({ name, run }) => {
      if (name === "rename") text = await readFile(folder.at(claimName(BASE, 1, 0)), "utf8");
      return run();
    });
    await createStore(folder.at(BASE), fileSystem).save([]);
    expect(JSON.parse(text)).toEqual({ writer: SELF, instance: expect.stringMatching(/^[0-9a-f]{12}$/) });
  });

  test("of another store is not removed when the result of link is unknown", async () => {
    using folder = new TemporaryFolder();
    const claimFile = folder.at(claimName(BASE, 1, 0));
    const fileSystem = interceptFileSystem(async ({ name, run }) => {
      if (name !== "link") return run();
      await writeFile(claimFile, claimText(ALIVE));
      throw createErrno("EIO", "link");
    });
    await expect(createStore(folder.at(BASE), fileSystem).save([])).rejects.toMatchObject({
      code: "STORE_IO",
    });
    expect(await readdir(folder.path)).toEqual([claimName(BASE, 1, 0)]);
  });

  test("that could not be removed after a failure is removed by the next save", async () => {
    using folder = new TemporaryFolder();
    let isBroken = true;
    const fileSystem = interceptFileSystem(async ({ name, run }) => {
      if (isBroken && (name === "rename" || name === "unlink")) {
        throw createErrno("EIO", name);
      }
      return run();
    });
    const store = createStore(folder.at(BASE), fileSystem);
    await expect(store.save([])).rejects.toMatchObject({ code: "STORE_IO" });
    expect(await readdir(folder.path)).toContain(claimName(BASE, 1, 0));
    isBroken = false;
    await store.save([]);
    expect(await readdir(folder.path)).toEqual([BASE]);
  });

  test("that comes too late, after another store swept the folder, is a conflict", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at(BASE);
    const fileSystem = interceptFileSystem(async ({ name, path: at, run }) => {
      if (name !== "link") return run();
      expect(at).toBe(folder.at(claimName(BASE, 1, 0)));
      const elsewhere = { self: async () => CONTAINER, isGone: async () => false };
      await new FileProviderStore({ path }, { fileSystem: nodeFileSystem, processes: elsewhere }).save([
        createDescriptor("theirs"),
      ]);
      return run();
    });
    await expect(createStore(path, fileSystem).save([])).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(idsOf(await createStore(path).load())).toEqual(["theirs"]);
    expect(await readdir(folder.path)).toEqual([BASE]);
  });
});

/** Creates files with these names, runs `act` on a store, and returns which files are left next to the stored file. */
async function leftAfter(names: readonly string[], act: (store: FileProviderStore) => Promise<unknown>) {
  using folder = new TemporaryFolder();
  const store = createStore(folder.at(BASE));
  await store.save([]);
  for (const name of names) await writeFile(join(folder.path, name), claimText(ALIVE));
  await act(store);
  return (await readdir(folder.path)).filter((name) => name !== BASE).sort();
}

describe("stray files", () => {
  // R1.5
  test("of processes that are gone, and of generations already in force, are removed by load and by save", async () => {
    const strays = [
      temporaryOf(GONE, 1),
      temporaryOf(GONE, 2),
      temporaryOf(CONTAINER, 1),
      claimName(BASE, 1, 0),
    ];
    expect(await leftAfter(strays, (store) => store.load())).toEqual([]);
    expect(await leftAfter(strays, (store) => store.save([]))).toEqual([]);
  });

  test("of processes that may be alive, and files with other names, are kept", async () => {
    const kept = [
      temporaryOf(ALIVE, 1),
      temporaryOf(ALIVE, 2),
      temporaryOf(CONTAINER, 2),
      claimName(BASE, 2, 0),
      claimName("others.jsonl", 1, 0),
      `.${BASE}.swp`,
    ].sort();
    expect(await leftAfter(kept, (store) => store.load())).toEqual(kept);
    expect(await leftAfter(kept, (store) => store.save([]).catch(() => {}))).toEqual(kept);
  });

  test("do not keep a set from being loaded when they cannot be listed or removed", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at(BASE);
    await createStore(path).save([createDescriptor("a")]);
    await writeFile(folder.at(temporaryOf(GONE, 1)), "");
    for (const call of ["readdir", "unlink"]) {
      const readOnly = interceptFileSystem(({ name, run }) => {
        if (name === call) throw createErrno("EROFS", name);
        return run();
      });
      expect(idsOf(await createStore(path, readOnly).load())).toEqual(["a"]);
    }
  });
});

test("a file system without hard links is reported as such", async () => {
  using folder = new TemporaryFolder();
  const path = folder.at(BASE);
  const fileSystem = interceptFileSystem(({ name, run }) => {
    if (name === "link") throw createErrno("EPERM", "link");
    return run();
  });
  await expect(createStore(path, fileSystem).save([])).rejects.toMatchObject({
    code: "STORE_IO",
    details: { file: path, operation: "link", code: "EPERM" },
  });
  expect(await readdir(folder.path)).toEqual([]);
});

describe("a beacon of a later generation that is out", () => {
  const beacons = { light: async () => undefined, isLit: async () => false };
  const name = beaconName(BASE, 3, "aa");

  test("is removed by the next save when its writer ended before it made a claim", async () => {
    using folder = new TemporaryFolder();
    const store = new FileProviderStore(
      { path: folder.at(BASE) },
      { fileSystem: localFolder, processes, beacons },
    );
    await writeFile(folder.at(name), "");
    await store.save([createDescriptor("a")]);
    expect(await readdir(folder.path)).toEqual([BASE]);
  });

  test.each([true, undefined])("stays while it is lit, or while that is unknown (%s)", async (isLit) => {
    using folder = new TemporaryFolder();
    const store = new FileProviderStore(
      { path: folder.at(BASE) },
      { fileSystem: localFolder, processes, beacons: { ...beacons, isLit: async () => isLit } },
    );
    await writeFile(folder.at(name), "");
    await store.save([createDescriptor("a")]);
    expect((await readdir(folder.path)).sort()).toEqual([name, BASE].sort());
  });

  test("stays while a claim names it, because it shows that the claim is abandoned", async () => {
    using folder = new TemporaryFolder();
    const store = new FileProviderStore(
      { path: folder.at(BASE) },
      { fileSystem: localFolder, processes, beacons },
    );
    await writeFile(folder.at(name), "");
    const claim = claimName(BASE, 3, 0);
    await writeFile(folder.at(claim), JSON.stringify({ writer: ALIVE, instance: "aa", beacon: name }));
    await store.save([createDescriptor("a")]);
    expect((await readdir(folder.path)).sort()).toEqual([claim, name, BASE].sort());
  });
});
