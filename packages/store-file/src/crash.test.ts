import { spawnSync } from "node:child_process";
import { mkdir, readdir, realpath, symlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { ProviderDescriptor } from "@holdfast/core";
import { describe, expect, inject, test } from "vitest";
import { FileProviderStore } from "./index.ts";
import { createDescriptor, idsOf } from "../test/descriptors.ts";
import { createErrno, interceptFileSystem, type Interceptor } from "../test/intercept.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { systemProcesses, type ProcessTable } from "./writer.ts";

const OLD = [createDescriptor("old-1"), createDescriptor("old-2")];
const NEW = [createDescriptor("old-1"), createDescriptor("new-1"), createDescriptor("new-2")];

interface Fault {
  readonly intercept: Interceptor;
  /** Calls so far. */
  readonly calls: () => number;
}

/** How much of the faulty call is carried out: at most a part (half a write), or the whole call. */
type Extent = "in" | "after";

/** One call reports an I/O error. */
function failAt(at: number, extent: Extent): Fault {
  let calls = 0;
  return {
    calls: () => calls,
    async intercept({ name, run, runPartly }) {
      if (++calls !== at) return run();
      // A file is closed even when closing it reports an error.
      if (extent === "after" || name === "close") await run();
      else await runPartly?.();
      throw createErrno("EIO", name);
    },
  };
}

/** The process ends at one call: no later one is carried out. */
function crashAt(at: number, extent: Extent): Fault {
  let calls = 0;
  return {
    calls: () => calls,
    async intercept({ run, runPartly }) {
      calls++;
      if (calls < at) return run();
      if (calls === at) await (extent === "after" ? run() : runPartly?.());
      throw new Error("crashed");
    },
  };
}

/** The identity of a process that has ended, for the stores that crash. */
const { pid } = spawnSync(process.execPath, ["--version"]);
const endedProcess: ProcessTable = {
  ...systemProcesses,
  self: async () => ({ ...(await systemProcesses.self()), pid }),
};

const fastFileSystem = interceptFileSystem(({ run }) => run());

function createStore(path: string): FileProviderStore {
  return new FileProviderStore({ path }, { fileSystem: fastFileSystem, processes: systemProcesses });
}

interface Scenario {
  readonly name: string;
  /** Returns the path to store at. */
  readonly prepare: (folder: TemporaryFolder) => Promise<string>;
  readonly before: readonly ProviderDescriptor[];
}

const scenarios: readonly Scenario[] = [
  {
    name: "a set is replaced",
    async prepare(folder) {
      const path = folder.at("providers.jsonl");
      await createStore(path).save(OLD);
      return path;
    },
    before: OLD,
  },
  {
    name: "the first set is saved, into a new folder",
    prepare: async (folder) => folder.at("new/deep/providers.jsonl"),
    before: [],
  },
  {
    name: "the first set is saved, through symbolic links",
    async prepare(folder) {
      await mkdir(folder.at("data"));
      await symlink("second.jsonl", folder.at("first.jsonl"));
      await symlink("data/providers.jsonl", folder.at("second.jsonl"));
      return folder.at("first.jsonl");
    },
    before: [],
  },
  {
    name: "a set is replaced after a crash that left a claim",
    async prepare(folder) {
      const path = folder.at("providers.jsonl");
      await createStore(path).save(OLD);
      await using fileSystem = interceptFileSystem(async ({ name, run }) => {
        if (name === "rename" || name === "unlink") throw new Error("crashed");
        return run();
      });
      const crashed = new FileProviderStore({ path }, { fileSystem, processes: endedProcess });
      await crashed.load();
      await expect(crashed.save([])).rejects.toMatchObject({ code: "LIFECYCLE_INTERNAL" });
      expect(await readdir(folder.path)).toContain(".providers.jsonl.2.0.claim");
      return path;
    },
    before: OLD,
  },
];

interface Outcome {
  readonly path: string;
  readonly store: FileProviderStore;
  /** What load or save rejected with; undefined when both resolved. */
  readonly error: unknown;
}

/** The short form of the test tries every third call. */
const STEP = inject("isLong") ? 1 : 3;

/**
 * Runs load and save again and again, each time with a fault at a later call, until the fault is beyond the last call.
 * Returns the number of calls.
 */
async function withFaultAtEveryCall(
  scenario: Scenario,
  createFault: (at: number) => Fault,
  processes: ProcessTable,
  check: (outcome: Outcome) => Promise<void>,
): Promise<number> {
  for (let at = 1; ; at += STEP) {
    using folder = new TemporaryFolder();
    const path = await scenario.prepare(folder);
    const { intercept, calls } = createFault(at);
    await using fileSystem = interceptFileSystem(intercept);
    const store = new FileProviderStore({ path }, { fileSystem, processes });
    const error: unknown = await store
      .load()
      .then(() => store.save(NEW))
      .catch((thrown: unknown) => thrown);
    if (calls() < at) {
      expect(error).toBeUndefined();
      return calls();
    }
    const loaded = idsOf(await createStore(path).load());
    if (error === undefined) expect(loaded).toEqual(idsOf(NEW));
    else expect([idsOf(scenario.before), idsOf(NEW)]).toContainEqual(loaded);
    await check({ path, store, error });
  }
}

async function expectToAppend(store: FileProviderStore, path: string, id: string): Promise<void> {
  const next = [...(await store.load()), createDescriptor(id)];
  await store.save(next);
  expect(await createStore(path).load()).toEqual(next);
}

async function expectNoStrays(path: string): Promise<void> {
  const target = await realpath(path);
  expect(await readdir(dirname(target))).toEqual([basename(target)]);
}

describe.each(scenarios)("while $name", (scenario) => {
  // R1.5, R5.4
  test.each(["in", "after"] as const)(
    "a crash %s any system call leaves the complete old or new set, and does not block later saves",
    async (extent) => {
      const crash = (at: number) => crashAt(at, extent);
      const calls = await withFaultAtEveryCall(scenario, crash, endedProcess, async ({ path }) => {
        await expectToAppend(createStore(path), path, "by-others");
        await expectNoStrays(path);
      });
      expect(calls).toBeGreaterThan(20);
    },
  );

  // R1.5, R5.4
  test.each(["in", "after"] as const)(
    "an I/O error %s any system call leaves the complete old or new set, and the store usable",
    async (extent) => {
      const fail = (at: number) => failAt(at, extent);
      await withFaultAtEveryCall(scenario, fail, systemProcesses, async ({ path, store, error }) => {
        if (error !== undefined) {
          expect(error).toMatchObject({ code: "STORE_IO", details: { file: path, code: "EIO" } });
        }
        await expectToAppend(createStore(path), path, "by-others");
        await expectToAppend(store, path, "again");
        await expectNoStrays(path);
      });
    },
  );
});

// R1.5
test("a save syncs the new content before it renames the file, and syncs the folder before it resolves", async () => {
  using folder = new TemporaryFolder();
  const path = folder.at("providers.jsonl");
  const steps: string[] = [];
  let temporary = "";
  await using fileSystem = interceptFileSystem(({ name, path: at, run }) => {
    if (name === "open" && temporary === "") temporary = at;
    if (at === temporary || at === path || at === folder.path) {
      const file = at === path ? "the file" : at === temporary ? "a temporary file" : "the folder";
      if (["writeFile", "sync", "rename"].includes(name)) steps.push(`${name} ${file}`);
    }
    return run();
  });
  await new FileProviderStore({ path }, { fileSystem, processes: systemProcesses }).save(NEW);
  expect(steps).toEqual([
    "writeFile a temporary file",
    "sync a temporary file",
    "rename the file",
    "sync the folder",
  ]);
});

// R1.5
test("a first save syncs the parents of the folders that it creates", async () => {
  using folder = new TemporaryFolder();
  const synced: string[] = [];
  await using fileSystem = interceptFileSystem(({ name, path, run }) => {
    if (name === "sync" && !path.endsWith(".tmp")) synced.push(path);
    return run();
  });
  const path = folder.at("new/deep/providers.jsonl");
  await new FileProviderStore({ path }, { fileSystem, processes: systemProcesses }).save(NEW);
  expect(synced).toEqual([folder.path, folder.at("new"), folder.at("new/deep")]);
});
