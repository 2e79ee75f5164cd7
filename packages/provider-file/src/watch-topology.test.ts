import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  openSync,
  closeSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { sleep, systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { CountingClock } from "@holdfast/testing";
import { createTestProvider } from "../test/create-test-provider.ts";
import { OpenResources } from "../test/open-resources.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { nodesWithPorts, toJson } from "../test/topology-json.ts";
import { inTime, WatchRecorder } from "../test/watch-recorder.ts";
import { WedgedThreadPool } from "../test/wedged-thread-pool.ts";

const clock = systemClock;
const { signal } = new AbortController();
const json = (...ports: readonly number[]) => toJson(nodesWithPorts(...ports));
const yaml = (...ports: readonly number[]) =>
  ["members:", ...ports.map((port, index) => `  - {id: node-${index}, host: h, port: ${port}}`), ""].join(
    "\n",
  );

describe("a probe", () => {
  test("resolves when the whole file is valid", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    folder.write("t.yaml", yaml(1));
    // R1.4
    await createTestProvider({ path: folder.at("t.json") }).probe({ signal });
    await createTestProvider({ path: folder.at("t.yaml") }).probe({ signal });
  });

  test("of a missing file is refused", async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.at("d.json"));
    folder.write("f", "");
    // R1.4
    for (const name of ["missing.json", "missing/t.json", "d.json", "f/t.json"]) {
      await expect(createTestProvider({ path: folder.at(name) }).probe({ signal })).rejects.toMatchObject({
        code: "CONNECTIVITY_REFUSED",
      });
    }
  });

  test("of a file without read permission is unauthorized", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    chmodSync(folder.at("t.json"), 0);
    using _ = withoutPrivileges();
    // R1.4
    await expect(createTestProvider({ path: folder.at("t.json") }).probe({ signal })).rejects.toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
    });
  });

  test("of an invalid file names every problem", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", '{"members": [{"id": "a", "host": "h"}, {"id": "a", "host": "h", "port": "x"}]}');
    // R1.4
    await expect(createTestProvider({ path: folder.at("t.json") }).probe({ signal })).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      details: {
        file: folder.at("t.json"),
        problems: [{ path: "members[0].port" }, { path: "members[1].port" }],
      },
    });
  });

  test("of a file system that hangs ends with its signal's reason", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using _ = new WedgedThreadPool();
    const controller = new AbortController();
    const probe = createTestProvider({ path: folder.at("t.json") }).probe({ signal: controller.signal });
    controller.abort(new Error("took too long"));
    await expect(inTime(probe)).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });
});

describe("a watch", () => {
  test.each([
    ["an edit in place", (folder: TemporaryFolder) => folder.write("t.json", json(2))],
    ["an edit that keeps the size", (folder: TemporaryFolder) => folder.write("t.json", json(3))],
    ["an atomic replacement", (folder: TemporaryFolder) => folder.replace("t.json", json(4))],
    [
      "deletion and re-creation",
      (folder: TemporaryFolder) => {
        unlinkSync(folder.at("t.json"));
        folder.write("t.json", json(5));
      },
    ],
    [
      "deletion and re-creation of the folder",
      (folder: TemporaryFolder) => {
        rmSync(folder.path, { recursive: true });
        mkdirSync(folder.path);
        folder.write("t.json", json(6));
      },
    ],
  ])("reports %s after a notification of the file system", async (_, change) => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using watch = record({ path: folder.at("t.json"), settleMs: 5_000 });
    expect(await watch.nextPorts()).toEqual([1]);
    change(folder);
    // R2.1
    const [port] = await watch.nextPorts();
    expect(port).toBeGreaterThan(1);
  });

  test("reports edits in place as fast as it can, including the last one", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using watch = record({ path: folder.at("t.json") });
    const seen = [...(await watch.nextPorts())];
    for (let port = 2; port <= 50; port++) folder.write("t.json", json(port));
    while (seen.at(-1) !== 50) seen.push(...(await watch.nextPorts()));
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  test("reports a changed target of a symbolic link, and edits there", async () => {
    using folder = new TemporaryFolder();
    using other = new TemporaryFolder();
    folder.write("one.json", json(1));
    other.write("two.json", json(2));
    symlinkSync(folder.at("one.json"), folder.at("t.json"));
    await using watch = record({ path: folder.at("t.json") });
    expect(await watch.nextPorts()).toEqual([1]);
    symlinkSync(other.at("two.json"), folder.at("t.json.tmp"));
    folder.rename("t.json.tmp", "t.json");
    // R2.1
    expect(await watch.nextPorts()).toEqual([2]);
    other.write("two.json", json(3));
    expect(await watch.nextPorts()).toEqual([3]);
  });

  test("reports an update of a Kubernetes volume, which replaces the link to a folder", async () => {
    using folder = new TemporaryFolder();
    const publish = (name: string, content: string) => {
      mkdirSync(folder.at(name));
      folder.write(`${name}/t.json`, content);
      symlinkSync(name, folder.at("..data_tmp"));
      folder.rename("..data_tmp", "..data");
    };
    publish("..1", json(1));
    symlinkSync("..data/t.json", folder.at("t.json"));
    await using watch = record({ path: folder.at("t.json") });
    expect(await watch.nextPorts()).toEqual([1]);
    publish("..2", json(2));
    rmSync(folder.at("..1"), { recursive: true });
    // R2.1
    expect(await watch.nextPorts()).toEqual([2]);
    publish("..3", json(3));
    expect(await watch.nextPorts()).toEqual([3]);
  });

  test("detects by polling a change without a notification", async () => {
    using folder = new TemporaryFolder();
    for (const name of ["one", "two"]) mkdirSync(folder.at(name));
    folder.write("one/t.json", json(1));
    folder.write("two/t.json", json(2));
    symlinkSync("one", folder.at("current"));
    await using watch = record({ path: folder.at("current/t.json"), pollMs: 20 });
    expect(await watch.nextPorts()).toEqual([1]);
    symlinkSync("two", folder.at("current.tmp"));
    folder.rename("current.tmp", "current");
    expect(await watch.nextPorts()).toEqual([2]);
  });

  test("does not report equal content again, and reports equal members in different content with a new revision", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using watch = record({ path: folder.at("t.json"), heartbeatMs: 30 });
    const first = await watch.nextSnapshot();
    folder.replace("t.json", json(1));
    for (let beat = 0; beat < 3; beat++) expect(await watch.next()).toEqual({ type: "heartbeat" });
    folder.replace("t.json", `${json(1)}\n`);
    const second = await watch.nextSnapshot();
    expect(second.hash).toBe(first.hash);
    expect(second.revision).not.toBe(first.revision);
    expect(second.members).toBe(first.members);
    expect(second.observedAt).toBeGreaterThanOrEqual(first.observedAt);
  });

  test("keeps the objects of unchanged members", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1, 2, 3));
    await using watch = record({ path: folder.at("t.json") });
    const before = await watch.nextSnapshot();
    folder.write("t.json", json(1, 20, 3));
    const after = await watch.nextSnapshot();
    expect(after.members.get("node-0")).toBe(before.members.get("node-0"));
    expect(after.members.get("node-1")).not.toBe(before.members.get("node-1"));
    expect(after.members.get("node-2")).toBe(before.members.get("node-2"));
  });

  test.each([
    ["t.json", json],
    ["t.yaml", yaml],
  ])("shows no half of %s while it is written in place, however long that takes", async (name, content) => {
    using folder = new TemporaryFolder();
    folder.write(name, content(1));
    await using watch = record({ path: folder.at(name), settleMs: 300 });
    expect(await watch.nextPorts()).toEqual([1]);
    const next = watch.nextPorts();
    next.catch(() => undefined); // it is awaited below
    const ports = Array.from({ length: 10 }, (_, index) => index + 2);
    const file = openSync(folder.at(name), "w");
    // Each part of the YAML file is valid by itself.
    for (const part of content(...ports).split(/(?<=[\n}])/)) {
      await sleep(100, { clock });
      writeSync(file, part);
    }
    closeSync(file);
    expect(await next).toEqual(ports);
  });

  test("is not interrupted by short absences, and does not add them up", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using watch = record({ path: folder.at("t.json"), settleMs: 400, heartbeatMs: 30 });
    expect(await watch.nextPorts()).toEqual([1]);
    for (let absence = 0; absence < 3; absence++) {
      const next = watch.next();
      folder.rename("t.json", "away");
      await sleep(200, { clock });
      folder.rename("away", "t.json");
      expect(await next).toEqual({ type: "heartbeat" });
      expect(await watch.next()).toEqual({ type: "heartbeat" });
    }
  });

  test.each([
    ["empty", ""],
    ["cut short", json(1, 2).slice(0, -5)],
    ["not a topology", '{"nodes": []}'],
    ["without a member's port", '{"members": [{"id": "a", "host": "h"}]}'],
    ["two times the same id", '{"members": [{"id":"a","host":"h","port":1},{"id":"a","host":"h","port":2}]}'],
  ])("fails on a file that stays %s, and shows nothing of it", async (_, content) => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1, 2));
    const provider = createTestProvider({ path: folder.at("t.json"), settleMs: 50 });
    await using watch = new WatchRecorder(provider);
    expect(await watch.nextPorts()).toEqual([1, 2]);
    folder.write("t.json", content);
    // R2.2
    expect(await watch.failure()).toMatchObject({ code: "STREAM_INVALID_DATA", retryable: false });
    await using second = new WatchRecorder(provider);
    expect(await second.failure()).toMatchObject({ code: "STREAM_INVALID_DATA" });
    folder.write("t.json", json(3));
    await using third = new WatchRecorder(provider);
    expect(await third.nextPorts()).toEqual([3]);
  });

  test("an empty list of members is valid", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using watch = record({ path: folder.at("t.json") });
    await watch.nextPorts();
    folder.write("t.json", json());
    expect((await watch.nextSnapshot()).members.size).toBe(0);
  });

  test.each([
    ["is deleted", (folder: TemporaryFolder) => unlinkSync(folder.at("d/t.json"))],
    ["is moved away", (folder: TemporaryFolder) => folder.rename("d/t.json", "d/u.json")],
    ["is lost with its folder", (folder: TemporaryFolder) => rmSync(folder.at("d"), { recursive: true })],
    [
      "is replaced by a folder",
      (folder: TemporaryFolder) => {
        unlinkSync(folder.at("d/t.json"));
        mkdirSync(folder.at("d/t.json"));
      },
    ],
  ])("ends when the file %s, and a new one is refused until it is back", async (_, remove) => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.at("d"));
    folder.write("d/t.json", json(1));
    const provider = createTestProvider({ path: folder.at("d/t.json"), settleMs: 50 });
    await using watch = new WatchRecorder(provider);
    expect(await watch.nextPorts()).toEqual([1]);
    remove(folder);
    // R2.2
    expect(await watch.nextChange()).toEqual({ type: "ended" });
    expect(await watch.next()).toBeUndefined();
    await using second = new WatchRecorder(provider);
    expect(await second.failure()).toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    rmSync(folder.at("d"), { recursive: true, force: true });
    mkdirSync(folder.at("d"));
    folder.write("d/t.json", json(2));
    await using third = new WatchRecorder(provider);
    expect(await third.nextPorts()).toEqual([2]);
  });

  test("fails when the read permission is removed", async () => {
    using folder = new TemporaryFolder();
    chmodSync(folder.path, 0o755);
    folder.write("t.json", json(1));
    chmodSync(folder.at("t.json"), 0o644);
    await using watch = record({ path: folder.at("t.json"), settleMs: 50 });
    expect(await watch.nextPorts()).toEqual([1]);
    chmodSync(folder.at("t.json"), 0);
    using _ = withoutPrivileges();
    // R2.2
    expect(await watch.failure()).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
  });

  test("fails when the file grows too large", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using watch = record({ path: folder.at("t.json"), settleMs: 50, maxBytes: 200 });
    expect(await watch.nextPorts()).toEqual([1]);
    folder.write("t.json", json(1, 2, 3, 4, 5, 6));
    expect(await watch.failure()).toMatchObject({ code: "STREAM_INVALID_DATA" });
  });

  test("reports a large file, which is parsed in a worker thread", async () => {
    using folder = new TemporaryFolder();
    const ports = Array.from({ length: 10_000 }, (_, index) => index + 1);
    folder.write("t.json", json(...ports));
    await using watch = record({ path: folder.at("t.json") });
    const before = await watch.nextSnapshot();
    expect(before.members.size).toBe(10_000);
    folder.replace("t.json", json(65_535, ...ports.slice(1)));
    const after = await watch.nextSnapshot();
    expect(after.members.get("node-0")?.port).toBe(65_535);
    const same = [...after.members].filter((node) => node === before.members.get(node.id));
    expect(same).toHaveLength(9_999);
    folder.replace("t.json", json(...ports).slice(0, -2));
    expect(await watch.failure()).toMatchObject({ code: "STREAM_INVALID_DATA" });
  });
});

describe("the heartbeat", () => {
  test("is emitted at least every heartbeatMs while the file exists", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using watch = record({ path: folder.at("t.json"), heartbeatMs: 150 });
    await watch.nextSnapshot();
    const at = clock.monotonic();
    for (let beat = 0; beat < 5; beat++) expect(await watch.next()).toEqual({ type: "heartbeat" });
    // Five heartbeats of at most 100 ms each; the rest is for a busy machine.
    expect(clock.monotonic() - at).toBeLessThan(5 * 150 + 2_000);
  });

  test("is not emitted while the file system hangs, and an abort still ends the watch at once", async () => {
    using folder = new TemporaryFolder();
    folder.write("t.json", json(1));
    await using watch = record({ path: folder.at("t.json"), heartbeatMs: 30 });
    await watch.nextSnapshot();
    await using _ = new WedgedThreadPool();
    const pending = Symbol("pending");
    const silent = async () => Promise.race([watch.next(), sleep(200, { clock }).then(() => pending)]);
    // One check may have been in progress.
    expect([await silent(), await silent()]).toContain(pending);
    watch.abort();
    expect(await watch.next()).toBeUndefined();
  });
});

describe("an abort", () => {
  test("closes everything at once, even when the consumer stopped reading", async () => {
    using folder = new TemporaryFolder();
    using open = new OpenResources(folder.path);
    folder.write("t.json", json(1));
    const testClock = new CountingClock();
    await using watch = record({ path: folder.at("t.json"), clock: testClock });
    await watch.nextSnapshot();
    expect(open.count).toBe(1);
    watch.abort();
    await closing(open);
    expect(testClock.pendingTimers).toBe(0);
  });

  test("while a large file is parsed stops the thread and ends the watch without an error", async () => {
    using folder = new TemporaryFolder();
    using open = new OpenResources(folder.path);
    folder.write("t.json", json(...Array.from({ length: 20_000 }, (_, index) => index + 1)));
    const testClock = new CountingClock();
    await using watch = record({ path: folder.at("t.json"), clock: testClock });
    const started = once(process, "worker");
    const next = watch.next();
    await inTime(started);
    watch.abort();
    expect(await next).toBeUndefined();
    await closing(open);
    expect(testClock.pendingTimers).toBe(0);
  });
});

/** Handles close and threads end some turns of the event loop after the call. */
async function closing(open: OpenResources): Promise<void> {
  const isClosed = async (): Promise<void> => {
    while (open.count > 0) await clock.yield();
  };
  await inTime(isClosed());
}

function record(options: Parameters<typeof createTestProvider>[0]): WatchRecorder {
  return new WatchRecorder(createTestProvider(options));
}

/** Root may read everything, so the process temporarily changes its user. */
function withoutPrivileges(): Disposable {
  const { geteuid, seteuid } = process;
  if (geteuid?.() !== 0) return { [Symbol.dispose]() {} };
  seteuid?.(65_534);
  return { [Symbol.dispose]: () => seteuid?.(0) };
}
