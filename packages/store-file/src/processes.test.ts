import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, test, vi } from "vitest";
import { FileProviderStore } from "./index.ts";
import { createDescriptor, idsOf } from "../test/descriptors.ts";
import { hasPidNamespaces, IN_PID_NAMESPACE } from "../test/pid-namespace.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

const SCRIPT = fileURLToPath(new URL("../test/append-in-loop.ts", import.meta.url));

const LIVES = inject("isLong") ? 20 : 5;
/**
 * Each process is killed at a number of changes in the folder: 10, plus this number for each earlier process. The last
 * process is killed 20 changes later than the first, which is more than one save makes.
 */
const CHANGES_A_LIFE = 20 / LIVES;

interface Appender {
  readonly process: ChildProcess;
  /** The ids of acknowledged saves, as the process prints them. */
  readonly lines: AsyncIterable<string>;
}

function startAppender(
  path: string,
  prefix: string,
  count: number,
  starter: readonly string[] = [],
): Appender {
  const [program, ...args] = [...starter, process.execPath, SCRIPT, path, prefix, String(count)];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  return { process: child, lines: createInterface({ input: child.stdout }) };
}

// R1.5
test("processes that append to one file at the same time lose no update", async () => {
  using folder = new TemporaryFolder();
  const path = folder.at("providers.jsonl");
  const prefixes = ["a", "b", "c", "d"];
  const acknowledged = await Promise.all(
    prefixes.map(async (prefix) => {
      const { process: child, lines } = startAppender(path, prefix, 12);
      const [ids, [code]] = await Promise.all([Array.fromAsync(lines), once(child, "exit")]);
      expect(code).toBe(0);
      return ids;
    }),
  );
  expect(acknowledged.flat()).toHaveLength(prefixes.length * 12);
  const final = idsOf(await new FileProviderStore({ path }).load());
  expect([...final].sort()).toEqual(acknowledged.flat().sort());
  expect(await readdir(folder.path)).toEqual(["providers.jsonl"]);
});

// R1.5, R5.4
test("a process killed during a save leaves the complete old or new set, every time", async () => {
  using folder = new TemporaryFolder();
  const path = folder.at("providers.jsonl");
  const known: string[] = [];
  let interrupted = 0;
  for (let life = 0; life < LIVES; life++) {
    const { process: child, lines } = startAppender(path, `life-${life}`, 1_000);
    const exited = once(child, "exit");
    // The count of changes spreads the kills over different moments of a save; the exact moment is left to chance.
    let changes = 0;
    const watcher = watch(folder.path, () => {
      if (++changes === 10 + life * CHANGES_A_LIFE) child.kill("SIGKILL");
    });
    const acknowledged = await Array.fromAsync(lines);
    expect(await exited).toEqual([null, "SIGKILL"]);
    watcher.close();
    if ((await readdir(folder.path)).length > 1) interrupted++;

    const store = new FileProviderStore({ path });
    const loaded = await store.load();
    known.push(...acknowledged);
    // At most one save succeeded without being acknowledged.
    const unacknowledged = idsOf(loaded).slice(known.length);
    expect([[], [`life-${life}-${acknowledged.length}`]]).toContainEqual(unacknowledged);
    known.push(...unacknowledged, `after-${life}`);
    await store.save([...loaded, createDescriptor(`after-${life}`)]);
    expect(idsOf(await store.load())).toEqual(known);
    expect(await readdir(folder.path)).toEqual(["providers.jsonl"]);
  }
  expect(interrupted).toBeGreaterThan(0);
});

// R1.5
describe.skipIf(!hasPidNamespaces())("in separate PID namespaces, on one folder", () => {
  test("processes that append at the same time lose no update", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    const acknowledged = await Promise.all(
      ["a", "b", "c"].map(async (prefix) => {
        const { process: child, lines } = startAppender(path, prefix, 6, IN_PID_NAMESPACE);
        const [ids, [code]] = await Promise.all([Array.fromAsync(lines), once(child, "exit")]);
        expect(code).toBe(0);
        return ids;
      }),
    );
    expect(acknowledged.flat()).toHaveLength(18);
    const final = idsOf(await new FileProviderStore({ path }).load());
    expect([...final].sort()).toEqual(acknowledged.flat().sort());
    expect(await readdir(folder.path)).toEqual(["providers.jsonl"]);
  }, 120_000);

  test("a process that was killed during a save does not block a later process", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("providers.jsonl");
    let abandoned = 0;
    for (let life = 0; life < 6; life++) {
      const { process: child, lines } = startAppender(path, `life-${life}`, 1_000, IN_PID_NAMESPACE);
      const exited = once(child, "exit");
      let changes = 0;
      const watcher = watch(folder.path, (_, name) => {
        changes++;
        if (changes > 10 && name?.endsWith(".claim") === true) child.kill("SIGKILL");
      });
      const acknowledged = await Array.fromAsync(lines);
      await exited;
      watcher.close();
      if ((await readdir(folder.path)).some((name) => name.endsWith(".claim"))) abandoned++;
      const store = new FileProviderStore({ path });
      const loaded = idsOf(await store.load());
      expect(loaded).toEqual(expect.arrayContaining(acknowledged));
      // A process ends a moment after its output does.
      await vi.waitFor(() => store.load().then(() => store.save([])), { timeout: 30_000 });
      expect(await readdir(folder.path)).toEqual(["providers.jsonl"]);
    }
    // The moment of the kill is left to chance; a claim exists during most of a save.
    expect(abandoned).toBeGreaterThan(0);
  }, 120_000);
});
