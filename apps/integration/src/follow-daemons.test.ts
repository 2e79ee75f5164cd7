import { createServer } from "node:net";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { DaemonLife } from "@holdfast-apps/lab";
import { follow, type FollowedTopology } from "@holdfast/client";
import { expect, test } from "vitest";

const MEMBERS = 300;

/** `version` is the port of every tenth member. */
const topologyOf = (version: number) => ({
  members: Array.from({ length: MEMBERS }, (_, i) => ({
    id: `n${i}`,
    host: "10.0.0.1",
    port: i % 10 === 0 ? version : 1,
    metadata: { name: `ü ${i}` },
  })),
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

function writeConfiguration(folder: TemporaryFolder, name: string): string {
  const params = { path: "topology.json", pollMs: 20, settleMs: 10 };
  const providers = [{ id: "file", kind: "file", priority: 1, params }];
  return folder.write(`${name}.json`, { providers, dataDir: `${name}-data` });
}

/** Resolves when the follower has the version, and equals the daemon, member by member and hash by hash. */
async function equals(topology: FollowedTopology, daemon: DaemonLife, version: number): Promise<void> {
  const { snapshot } = await topology.waitFor(
    (state) =>
      !state.isStale && state.status === "ready" && state.snapshot?.members.get("n0")?.port === version,
  );
  const { members, hash } = (await daemon.topology()) as unknown as {
    members: { id: string }[];
    hash: string;
  };
  expect(snapshot?.hash).toBe(hash);
  expect([...(snapshot?.members ?? [])].map(({ id }) => id)).toEqual(members.map(({ id }) => id));
}

// R7.4
test(
  "a follower of two daemons equals them through changes, kill -9, a restart and SIGSTOP",
  { timeout: 120_000 },
  async () => {
    using folder = new TemporaryFolder();
    folder.replace("topology.json", topologyOf(1));
    const ports = [await freePort(), await freePort()];
    const configurations = [writeConfiguration(folder, "one"), writeConfiguration(folder, "two")];
    const start = (index: number) => new DaemonLife(configurations[index]!, { port: ports[index]! });
    let one = start(0);
    await using two = start(1);
    await Promise.all([one.url(), two.url()]);
    await using topology = follow({
      url: ports.map((port) => `http://127.0.0.1:${port}`),
      health: { timeoutMs: 6_000, cooldownMs: 500, backoffInitialMs: 100, backoffMaxMs: 300, maxErrors: 2 },
    });
    const switches: string[] = [];
    topology.onEvent((event) => {
      if (event.kind === "provider_changed") switches.push(event.to);
    });
    try {
      await equals(topology, one, 1);
      folder.replace("topology.json", topologyOf(2));
      await equals(topology, one, 2);

      await one.kill();
      folder.replace("topology.json", topologyOf(3));
      await equals(topology, two, 3);
      expect(switches).toEqual([`127.0.0.1:${ports[1]}`]);

      one = start(0);
      await one.url();
      await topology.waitFor(({ snapshot }) => snapshot?.providerId === `127.0.0.1:${ports[0]}`);
      await equals(topology, one, 3);

      process.kill(one.pid, "SIGSTOP");
      await topology.waitFor(({ snapshot }) => snapshot?.providerId === `127.0.0.1:${ports[1]}`);
      folder.replace("topology.json", topologyOf(4));
      await equals(topology, two, 4);
      process.kill(one.pid, "SIGCONT");
      await topology.waitFor(({ snapshot }) => snapshot?.providerId === `127.0.0.1:${ports[0]}`);
      await equals(topology, one, 4);
    } finally {
      await one[Symbol.asyncDispose]();
    }
  },
);
