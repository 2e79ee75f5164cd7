import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually, TcpProxy } from "@holdfast-apps/lab";
import { follow, type FollowedTopology } from "@holdfast/client";
import { expect, test } from "vitest";
import { expectEqual, FileDaemons, membersOf } from "./file-daemons.ts";

const health = { cooldownMs: 500, backoffInitialMs: 100, backoffMaxMs: 300 };

/** Resolves with the follower's snapshot when it has the version as current content. */
async function current(topology: FollowedTopology, version: number) {
  const { snapshot } = await topology.waitFor(
    (state) => state.status === "ready" && state.snapshot?.members.get("n0")?.port === version,
  );
  return snapshot;
}

/** The versions that a follower has shown, without repeats. */
function recordVersions(topology: FollowedTopology): readonly (number | undefined)[] {
  const versions: (number | undefined)[] = [];
  topology.onEvent((event) => {
    if (event.kind !== "snapshot") return;
    const version = event.snapshot.members.get("n0")?.port;
    if (versions.at(-1) !== version) versions.push(version);
  });
  return versions;
}

// R7.4
test("a daemon that is restarted with an older last known good snapshot takes no follower back in time", async () => {
  await using daemons = await FileDaemons.create(1);
  const [url = ""] = daemons.urls;
  // The daemon holds the stored content for longer than this test takes.
  const patient = { ...health, maxErrors: 1_000, timeoutMs: 600_000 };
  const settings = { lastKnownGood: { saveEveryMs: 1_000 }, health: patient };
  const saved = join(daemons.dataDir(0), "last-known-good.jsonl");
  daemons.publish(membersOf(1));
  let daemon = await daemons.start(0, settings);
  await using topology = follow({ url, health });
  const versions = recordVersions(topology);
  await current(topology, 1);
  await eventually(() => copyFileSync(saved, daemons.folder.at("old.jsonl")));
  daemons.publish(membersOf(2));
  await current(topology, 2);
  await daemon.kill();

  // Its backend is gone, and its stored content is that of the first version.
  copyFileSync(daemons.folder.at("old.jsonl"), saved);
  rmSync(daemons.folder.at("topology.json"));
  daemon = await daemons.start(0, settings);
  const isHeld = topology.waitFor(({ statusReason }) => statusReason.includes("older than what it had"));
  expect((await isHeld).isStale).toBe(true);
  expect((await daemon.topology()).status).not.toBe("ready");
  expect(versions).toEqual([1, 2]);

  daemons.publish(membersOf(3));
  await expectEqual(await current(topology, 3), `${url}/topology`);
  expect(versions).toEqual([1, 2, 3]);
});

// R7.4
test.each(["reset", "fin"] as const)(
  "a connection that is cut off half-way through the state (%s) shows nothing of it, and is opened again",
  async (by) => {
    await using daemons = await FileDaemons.create(1);
    const [url = ""] = daemons.urls;
    daemons.publish(membersOf(1, 5_000));
    const daemon = await daemons.start(0);
    await eventually(async () => expect((await daemon.topology()).status).toBe("ready"));
    await using proxy = await TcpProxy.listen(url);
    proxy.cut(by);
    await using topology = follow({ url: proxy.address, health });
    await topology.waitFor(({ statusCause }) => statusCause?.code === "STREAM_FAILED");
    expect(topology.state.snapshot).toBeUndefined();
    proxy.pass();
    await expectEqual(await current(topology, 1), `${url}/topology`);

    // The same again with content to hold: it is not replaced by half of another one.
    proxy.cut(by);
    const versions = recordVersions(topology);
    await daemon.kill();
    daemons.publish(membersOf(2, 5_000));
    await daemons.start(0);
    await topology.waitFor(({ isStale }) => isStale);
    expect(topology.state.snapshot?.members.size).toBe(5_000);
    proxy.pass();
    await expectEqual(await current(topology, 2), `${url}/topology`);
    expect(versions).toEqual([2]);
  },
);
