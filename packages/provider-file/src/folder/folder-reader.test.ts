import { mkdirSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "@holdfast/testing";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { makeNamedPipe } from "../../test/make-named-pipe.ts";
import { nodesWithPorts } from "../../test/topology-json.ts";
import { FolderReader } from "./folder-reader.ts";

const { signal } = new AbortController();
const TTL_MS = 1_000;

class Trial implements Disposable {
  readonly folder = new TemporaryFolder();
  readonly clock = new VirtualClock();
  readonly reader = new FolderReader({
    path: this.folder.path,
    maxBytes: 10_000,
    settleMs: 100,
    clock: this.clock,
  });

  /** Writes a file with one member for each port, touched now. */
  write(name: string, ports: readonly number[], lease?: object): void {
    const nodes = nodesWithPorts(...ports).map((node) => ({ ...node, id: `${name}-${node.id}` }));
    this.folder.replace(`${name}.json`, { members: nodes, ...(lease !== undefined && { lease }) });
    this.touch(name);
  }

  touch(name: string): void {
    const seconds = this.clock.now() / 1_000;
    utimesSync(this.folder.at(`${name}.json`), seconds, seconds);
  }

  async ids(): Promise<readonly string[]> {
    return (await this.reader.check(signal)).members.map(({ id }) => id);
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

// R8.4
describe("FolderReader", () => {
  test("merges the members of all files, sorted by id, and ignores other files", async () => {
    using trial = new Trial();
    trial.write("b", [1, 2]);
    trial.write("a", [3]);
    trial.folder.write("notes.txt", "not json");
    trial.folder.write(".c.json.tmp", "{");
    trial.folder.write(".hidden.json", "{");
    expect(await trial.ids()).toEqual(["a-node-0", "b-node-0", "b-node-1"]);
  });

  test("an empty folder has no members", async () => {
    using trial = new Trial();
    expect(await trial.reader.check(signal)).toMatchObject({
      members: [],
      skipped: undefined,
      dueInMs: Infinity,
    });
  });

  test("members with a lease are listed for as long as their file is touched", async () => {
    using trial = new Trial();
    trial.write("static", [1]);
    trial.write("live", [2], { ttlMs: TTL_MS, owner: "p-1" });
    expect((await trial.reader.check(signal)).dueInMs).toBe(TTL_MS);
    for (let beat = 0; beat < 5; beat++) {
      await trial.clock.advance(700);
      trial.touch("live");
      expect(await trial.ids()).toEqual(["live-node-0", "static-node-0"]);
    }
    await trial.clock.advance(TTL_MS - 1);
    expect(await trial.ids()).toHaveLength(2);
    await trial.clock.advance(1);
    expect(await trial.ids()).toEqual(["static-node-0"]);
    await trial.clock.advance(60_000);
    trial.touch("live");
    expect(await trial.ids()).toHaveLength(2);
  });

  test("a file that was abandoned before the first check is not listed", async () => {
    using trial = new Trial();
    trial.write("dead", [1], { ttlMs: TTL_MS });
    trial.write("live", [2], { ttlMs: 10 * TTL_MS });
    await trial.clock.advance(TTL_MS);
    expect(await trial.ids()).toEqual(["live-node-0"]);
  });

  test("a touch between two checks counts from its own time", async () => {
    using trial = new Trial();
    trial.write("live", [1], { ttlMs: TTL_MS });
    await trial.ids();
    await trial.clock.advance(500);
    trial.touch("live");
    await trial.clock.advance(400);
    expect((await trial.reader.check(signal)).dueInMs).toBe(600);
  });

  test("a jump of the wall clock removes no member that lives", async () => {
    using trial = new Trial();
    trial.write("live", [1], { ttlMs: TTL_MS });
    await trial.ids();
    for (const jump of [3_600_000, -7_200_000]) {
      trial.clock.jump(jump);
      await trial.clock.advance(300);
      expect(await trial.ids()).toHaveLength(1);
      trial.touch("live");
      await trial.clock.advance(300);
      expect(await trial.ids()).toHaveLength(1);
    }
    await trial.clock.advance(TTL_MS);
    expect(await trial.ids()).toEqual([]);
  });

  test("a file that is replaced takes effect, also when its size is the same", async () => {
    using trial = new Trial();
    trial.write("live", [1], { ttlMs: TTL_MS });
    await trial.ids();
    trial.write("live", [2], { ttlMs: TTL_MS });
    expect((await trial.reader.check(signal)).members[0]!.port).toBe(2);
    trial.write("static", [3]);
    await trial.ids();
    trial.folder.write("static.json", { members: nodesWithPorts(4) });
    expect((await trial.reader.check(signal)).members.map(({ port }) => port)).toEqual([2, 4]);
  });

  test("a file that cannot be used is left out and counted, the others are listed", async () => {
    using trial = new Trial();
    trial.write("good", [1]);
    trial.folder.write("not-json.json", "{");
    trial.folder.write("no-members.json", {});
    trial.folder.write("bad-lease.json", { members: [], lease: { ttlMs: "1" } });
    trial.folder.write("large.json", { members: [], $schema: "x".repeat(10_000) });
    mkdirSync(trial.folder.at("folder.json"));
    makeNamedPipe(trial.folder.at("pipe.json"));
    symlinkSync(trial.folder.at("nowhere"), trial.folder.at("dangling.json"));
    await trial.ids();
    await trial.clock.advance(100);
    const { members, skipped } = await trial.reader.check(signal);
    expect(members.map(({ id }) => id)).toEqual(["good-node-0"]);
    expect(skipped?.count).toBe(6);
    expect(skipped?.reasons).toEqual([
      '"bad-lease.json": expected a lease with ttlMs, got another one',
      '"folder.json": it is a folder, not a regular file (EISDIR)',
      expect.stringMatching(/^"large.json": expected at most 10000 bytes/),
      '"no-members.json": members: expected array, got nothing',
      expect.stringMatching(/^"not-json.json": expected valid JSON/),
    ]);
  });

  test("a file keeps its members for settleMs after it has become invalid, and recovers", async () => {
    using trial = new Trial();
    trial.write("a", [1]);
    trial.write("b", [2]);
    await trial.ids();
    trial.folder.write("a.json", '{"members": [');
    expect(await trial.reader.check(signal)).toMatchObject({ members: [{}, {}], dueInMs: 100 });
    await trial.clock.advance(99);
    expect(await trial.ids()).toHaveLength(2);
    await trial.clock.advance(1);
    expect(await trial.ids()).toEqual(["b-node-0"]);
    trial.write("a", [3]);
    expect(await trial.ids()).toHaveLength(2);
  });

  test("when no file can be used, it is an error and not an empty topology", async () => {
    using trial = new Trial();
    trial.folder.write("a.json", "{");
    await expect(trial.reader.check(signal)).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      details: { file: trial.folder.path },
    });
  });

  test("the first of two files with the same id counts, and the other one is reported", async () => {
    using trial = new Trial();
    trial.folder.write("b.json", { members: [{ id: "x", host: "h", port: 2 }] });
    trial.folder.write("a.json", { members: [{ id: "x", host: "h", port: 1 }] });
    const { members, skipped } = await trial.reader.check(signal);
    expect(members).toMatchObject([{ id: "x", port: 1 }]);
    expect(skipped).toEqual({ count: 1, reasons: ['"b.json": an id that another file has'] });
  });

  test("rejects with the error of the folder", async () => {
    using trial = new Trial();
    rmSync(trial.folder.path, { recursive: true });
    await expect(trial.reader.check(signal)).rejects.toMatchObject({ code: "ENOENT" });
    mkdirSync(trial.folder.path);
  });

  test("ends with its signal", async () => {
    using trial = new Trial();
    await expect(trial.reader.check(AbortSignal.abort())).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
  });
});
