import { mkdirSync, rmSync, symlinkSync, unlinkSync, watch } from "node:fs";
import { systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { PathWatch, type WatchFolder } from "./path-watch.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { inTime } from "../test/watch-recorder.ts";

const NEVER_MS = 60_000;
const { signal } = new AbortController();

describe("PathWatch", () => {
  test("notices a write to the file", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    using pathWatch = await armed(folder.at("f"));
    folder.write("f", "two");
    await inTime(pathWatch.wait(NEVER_MS, signal));
    expect(pathWatch.takeChanged()).toBe(true);
    expect(pathWatch.takeChanged()).toBe(false);
  });

  test("notices a change of another entry of the folder, without a change of the file", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    using pathWatch = await armed(folder.at("f"));
    folder.write("other", "two");
    await inTime(pathWatch.wait(NEVER_MS, signal));
    expect(pathWatch.takeChanged()).toBe(false);
  });

  test("notices a write to the target of a symbolic link, in another folder and with another name", async () => {
    using folder = new TemporaryFolder();
    using target = new TemporaryFolder();
    target.write("real", "one");
    symlinkSync(target.at("real"), folder.at("f"));
    using pathWatch = await armed(folder.at("f"));
    target.write("real", "two");
    await inTime(pathWatch.wait(NEVER_MS, signal));
    expect(pathWatch.takeChanged()).toBe(true);
  });

  test("follows a folder that was removed and created again", async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.at("d"));
    folder.write("d/f", "one");
    using pathWatch = await armed(folder.at("d/f"));
    rmSync(folder.at("d"), { recursive: true });
    mkdirSync(folder.at("d"));
    folder.write("d/f", "two");
    await pathWatch.watchFolders(signal);
    expect(pathWatch.takeChanged()).toBe(true);
    await inTime(pathWatch.wait(NEVER_MS, signal)); // the notification of the removal
    folder.write("d/f", "three");
    await inTime(pathWatch.wait(NEVER_MS, signal));
    expect(pathWatch.takeChanged()).toBe(true);
  });

  test("waits for the whole time without notifications, and tries to watch again at the next check", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    let calls = 0;
    const exhausted = (): never => {
      calls++;
      throw Object.assign(new Error("System limit for number of file watchers reached"), { code: "ENOSPC" });
    };
    using pathWatch = new PathWatch({
      path: folder.at("f"),
      clock: systemClock,
      watchFolder: exhausted,
    });
    await pathWatch.watchFolders(signal);
    await inTime(pathWatch.wait(1, signal));
    await pathWatch.watchFolders(signal);
    expect(calls).toBe(2);
  });

  test("a watcher that fails is closed and created again at the next check", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    const watchers: ReturnType<typeof watch>[] = [];
    const watchFolder: WatchFolder = (path, onChange) => {
      const watcher = watch(path, onChange);
      watchers.push(watcher);
      return watcher;
    };
    using pathWatch = new PathWatch({
      path: folder.at("f"),
      clock: systemClock,
      watchFolder,
    });
    await pathWatch.watchFolders(signal);
    watchers[0]?.emit("error", new Error("gone"));
    await pathWatch.watchFolders(signal);
    expect(watchers).toHaveLength(2);
  });

  test("a missing file can be watched through its folder", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    unlinkSync(folder.at("f"));
    using pathWatch = await armed(folder.at("f"));
    folder.write("f", "two");
    await inTime(pathWatch.wait(NEVER_MS, signal));
    expect(pathWatch.takeChanged()).toBe(true);
  });

  test("opens nothing after disposal", async () => {
    using folder = new TemporaryFolder();
    let calls = 0;
    const pathWatch = new PathWatch({
      path: folder.at("f"),
      clock: systemClock,
      watchFolder: (path) => {
        calls++;
        return watch(path);
      },
    });
    const arming = pathWatch.watchFolders(signal);
    pathWatch[Symbol.dispose]();
    await arming;
    expect(calls).toBe(0);
  });

  test("a wait ends when its signal aborts", async () => {
    using folder = new TemporaryFolder();
    using pathWatch = await armed(folder.at("f"));
    const controller = new AbortController();
    const wait = pathWatch.wait(NEVER_MS, controller.signal);
    controller.abort();
    await expect(wait).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });
});

async function armed(path: string): Promise<PathWatch> {
  const pathWatch = new PathWatch({ path, clock: systemClock });
  await pathWatch.watchFolders(signal);
  pathWatch.takeChanged();
  return pathWatch;
}
