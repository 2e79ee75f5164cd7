import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createClusterNode, createSnapshot, MemberSet, systemClock, type KnownGood } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileSnapshotStore } from "./index.ts";
import { createErrno, interceptFileSystem } from "../test/intercept.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

function knownOf(count: number, providerId = "consul"): KnownGood {
  const nodes = Array.from({ length: count }, (_, i) =>
    createClusterNode({
      id: `node-${i}`,
      host: `10.0.${i >> 8}.${i & 255}`,
      port: 7_000 + i,
      ...(i % 2 === 0 && { zone: "a", tags: ["x"], metadata: { rack: `${i}` }, weight: i }),
    }),
  );
  const members = MemberSet.from(nodes);
  const snapshot = createSnapshot({ providerId, members, observedAt: 1_000, revision: "42" });
  return { snapshot, confirmedAt: 2_000, source: "consul of web" };
}

function expectSame(loaded: KnownGood | undefined, saved: KnownGood): void {
  expect([loaded?.confirmedAt, loaded?.source]).toEqual([saved.confirmedAt, saved.source]);
  const { members, ...rest } = loaded!.snapshot;
  const { members: wanted, ...wantedRest } = saved.snapshot;
  expect(rest).toEqual(wantedRest);
  expect(members.toArray()).toEqual(wanted.toArray());
}

const OLD = knownOf(3);
const NEW = knownOf(5, "kubernetes");

describe("the file snapshot store", () => {
  test("loads the last saved snapshot, and undefined before the first save", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("deep/known-good.jsonl");
    const store = new FileSnapshotStore({ path });
    expect(await store.load()).toBeUndefined();
    await store.save(OLD);
    expectSame(await new FileSnapshotStore({ path }).load(), OLD);
    await store.save(NEW);
    expectSame(await store.load(), NEW);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder.at("deep"))).toEqual(["known-good.jsonl"]);
  });

  test("runs saves in call order", async () => {
    using folder = new TemporaryFolder();
    const store = new FileSnapshotStore({ path: folder.at("known-good.jsonl") });
    await Promise.all([store.save(OLD), store.save(NEW), store.save(OLD)]);
    expectSame(await store.load(), OLD);
  });

  test("keeps a symbolic link", async () => {
    using folder = new TemporaryFolder();
    await symlink("target.jsonl", folder.at("link.jsonl"));
    await new FileSnapshotStore({ path: folder.at("link.jsonl") }).save(OLD);
    expectSame(await new FileSnapshotStore({ path: folder.at("target.jsonl") }).load(), OLD);
  });

  test("lets the event loop run while it reads many members", async () => {
    using folder = new TemporaryFolder();
    let turns = 0;
    const yieldTurn = () => {
      turns++;
      return systemClock.yield();
    };
    const clock = { ...systemClock, yield: yieldTurn };
    const store = new FileSnapshotStore({ path: folder.at("known-good.jsonl"), clock });
    const many = knownOf(5_500);
    await store.save(many);
    expectSame(await store.load(), many);
    expect(turns).toBeGreaterThan(5);
  });

  test("detects a change of any byte, and quotes no text of the file", async () => {
    using folder = new TemporaryFolder();
    const path = folder.at("known-good.jsonl");
    const store = new FileSnapshotStore({ path });
    await store.save(OLD);
    const whole = await readFile(path);
    const damage = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(damage, async ([at, flip]) => {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= flip;
        await writeFile(path, damaged);
        const error: unknown = await store.load().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "STORE_CORRUPTED", details: { file: path } });
        expect(JSON.stringify(error)).not.toMatch(/10\.0\.0|node-/);
        expect(await readFile(path)).toEqual(damaged);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["an empty file", () => "", "empty"],
    ["a cut-off file", (text: string) => text.slice(0, -10), "cut off"],
    ["a file without its last line", (text: string) => text.split("\n").slice(0, -2).join("\n"), "cut off"],
    ["an extra line", (text: string) => `${text}{}\n`, "counts only"],
    ["another format", (text: string) => text.replace("holdfast-snapshot", "holdfast-providers"), "line 1"],
  ])("reports %s as damage, with the reason", async (_, damage, reason) => {
    using folder = new TemporaryFolder();
    const path = folder.at("known-good.jsonl");
    const store = new FileSnapshotStore({ path });
    await store.save(OLD);
    await writeFile(path, damage(await readFile(path, "utf8")));
    await expect(store.load()).rejects.toThrow(reason);
    await store.save(NEW);
    expectSame(await store.load(), NEW);
  });

  test.each(["fails", "crashes"] as const)(
    "the file holds the complete old or new snapshot when any system call %s",
    async (how) => {
      // R5.4
      for (let at = 1; ; at++) {
        using folder = new TemporaryFolder();
        const path = folder.at("known-good.jsonl");
        await new FileSnapshotStore({ path }).save(OLD);
        let calls = 0;
        await using fileSystem = interceptFileSystem(async ({ name, run, runPartly }) => {
          if (++calls < at || (how === "fails" && calls > at)) return run();
          if (name === "close" && how === "fails") await run();
          else if (calls === at) await runPartly?.();
          throw how === "fails" ? createErrno("ENOSPC", name) : new Error("crashed");
        });
        const error: unknown = await new FileSnapshotStore({ path }, fileSystem)
          .save(NEW)
          .catch((thrown: unknown) => thrown);
        if (calls < at) {
          expect(error).toBeUndefined();
          expect(at).toBeGreaterThan(12);
          break;
        }
        if (how === "fails" && error !== undefined) {
          expect(error).toMatchObject({ code: "STORE_IO", details: { file: path, code: "ENOSPC" } });
        }
        const again = new FileSnapshotStore({ path });
        const loaded = await again.load();
        expectSame(loaded, loaded?.snapshot.providerId === "consul" ? OLD : NEW);
        if (error === undefined) expectSame(loaded, NEW);
        await again.save(NEW);
        expect(await readdir(folder.path)).toEqual(["known-good.jsonl"]);
      }
    },
  );
});

// R1.5
describe("a symbolic link at the path", () => {
  test("to a file of another format is refused, and that file is not changed", async () => {
    using folder = new TemporaryFolder();
    await writeFile(folder.at("other"), "something else\n");
    await symlink("other", folder.at("known-good.jsonl"));
    const store = new FileSnapshotStore({ path: folder.at("known-good.jsonl") });
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(store.save(NEW)).rejects.toMatchObject({
        code: "STORE_CORRUPTED",
        details: { file: folder.at("known-good.jsonl"), target: folder.at("other") },
      });
    }
    expect(await readFile(folder.at("other"), "utf8")).toBe("something else\n");
  });

  test.each([
    ["a missing file", undefined],
    ["an empty file", ""],
    ["a damaged snapshot", '{"format":"holdfast-snapshot",'],
  ])("to %s is followed", async (_, text) => {
    using folder = new TemporaryFolder();
    if (text !== undefined) await writeFile(folder.at("other"), text);
    await symlink("other", folder.at("known-good.jsonl"));
    const store = new FileSnapshotStore({ path: folder.at("known-good.jsonl") });
    await store.save(NEW);
    expectSame(await store.load(), NEW);
  });
});
