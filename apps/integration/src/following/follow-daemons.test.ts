import { follow, type FollowedTopology } from "@holdfast/client";
import { expect, test } from "vitest";
import { expectEqual, FileDaemons, membersOf } from "./file-daemons.ts";

/** Resolves when the follower has the version as current content, and equals the daemon. */
async function equals(topology: FollowedTopology, url: string, version: number): Promise<void> {
  const { snapshot } = await topology.waitFor(
    (state) => state.status === "ready" && state.snapshot?.members.get("n0")?.port === version,
  );
  await expectEqual(snapshot, `${url}/topology`);
}

const health = {
  timeoutMs: 6_000,
  cooldownMs: 500,
  backoffInitialMs: 100,
  backoffMaxMs: 300,
  maxErrors: 2,
};

// R7.4
test(
  "a follower of two daemons equals them through changes, kill -9, a restart and SIGSTOP",
  { timeout: 120_000 },
  async () => {
    await using daemons = await FileDaemons.create(2);
    daemons.publish(membersOf(1));
    const [first = "", second = ""] = daemons.urls;
    let one = await daemons.start(0);
    await daemons.start(1);
    await using topology = follow({ url: daemons.urls, health });
    const switches: string[] = [];
    topology.onEvent((event) => {
      if (event.kind === "provider_changed") switches.push(event.to);
    });
    const isFollowing = (url: string) =>
      topology.waitFor(({ snapshot }) => snapshot?.providerId === new URL(url).host);

    await equals(topology, first, 1);
    daemons.publish(membersOf(2));
    await equals(topology, first, 2);

    await one.kill();
    daemons.publish(membersOf(3));
    await equals(topology, second, 3);
    expect(switches).toEqual([new URL(second).host]);

    one = await daemons.start(0);
    await isFollowing(first);
    await equals(topology, first, 3);

    process.kill(one.pid, "SIGSTOP");
    await isFollowing(second);
    daemons.publish(membersOf(4));
    await equals(topology, second, 4);
    process.kill(one.pid, "SIGCONT");
    await isFollowing(first);
    await equals(topology, first, 4);
  },
);
