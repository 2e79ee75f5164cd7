import { renameSync, rmSync, utimesSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { createTestFolder, type TestFolderOptions } from "../../test/create-test-folder.ts";
import { nodesWithPorts, toJson } from "../../test/topology-json.ts";
import { WatchRecorder } from "../../test/watch-recorder.ts";

const { signal } = new AbortController();

function record(options: TestFolderOptions): WatchRecorder {
  return new WatchRecorder(createTestFolder(options));
}

// R8.4
describe("a watch of a folder", () => {
  test("reports new, changed and removed files after a notification of the file system", async () => {
    using folder = new TemporaryFolder();
    await using watch = record({ path: folder.path });
    expect(await watch.nextPorts()).toEqual([]);
    folder.replace("a.json", toJson([{ id: "a", host: "h", port: 1 }]));
    expect(await watch.nextPorts()).toEqual([1]);
    folder.write("b.json", toJson([{ id: "b", host: "h", port: 2 }]));
    expect(await watch.nextPorts()).toEqual([1, 2]);
    folder.write("b.json", toJson([{ id: "b", host: "h", port: 3 }]));
    expect(await watch.nextPorts()).toEqual([1, 3]);
    rmSync(folder.at("a.json"));
    expect(await watch.nextPorts()).toEqual([3]);
  });

  test("removes a member when its lease ends, without waiting for a poll", async () => {
    using folder = new TemporaryFolder();
    folder.replace("a.json", { members: nodesWithPorts(1), lease: { ttlMs: 300 } });
    await using watch = record({ path: folder.path, pollMs: 60_000 });
    expect(await watch.nextPorts()).toEqual([1]);
    expect(await watch.nextPorts()).toEqual([]);
  });

  test("sees touches at the next check, although they cause none", async () => {
    using folder = new TemporaryFolder();
    folder.replace("a.json", { members: nodesWithPorts(1), lease: { ttlMs: 1_000 } });
    await using watch = record({ path: folder.path, pollMs: 60_000, heartbeatMs: 600 });
    expect(await watch.nextPorts()).toEqual([1]);
    for (let beat = 0; beat < 6; beat++) {
      const now = new Date();
      utimesSync(folder.at("a.json"), now, now);
      expect(await watch.next()).toEqual({ type: "heartbeat" });
    }
    expect(await watch.nextPorts()).toEqual([]);
  });

  test("ends when the folder is removed, and a new watch of it is refused", async () => {
    using folder = new TemporaryFolder();
    folder.replace("a.json", toJson(nodesWithPorts(1)));
    await using watch = record({ path: folder.path });
    expect(await watch.nextPorts()).toEqual([1]);
    renameSync(folder.path, `${folder.path}-moved`);
    expect(await watch.nextChange()).toEqual({ type: "ended" });
    await expect(createTestFolder({ path: folder.path }).probe({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      message: expect.stringContaining(`the folder "${folder.path}" does not exist`),
    });
    rmSync(`${folder.path}-moved`, { recursive: true });
  });
});
