import { TemporaryFolder } from "@holdfast-apps/test-support";
import { DaemonLife } from "@holdfast-apps/lab";
import { follow, type FollowedDirectory } from "@holdfast/client";
import { expect, test } from "vitest";

const QUICK = {
  timeoutMs: 6_000,
  maxErrors: 1,
  backoffInitialMs: 100,
  backoffMaxMs: 300,
  cooldownMs: 500,
};

const membersOf = (...ids: readonly string[]) => ({
  members: ids.map((id) => ({ id, host: `${id}.test`, port: 7_000 })),
});

const backends = { files: { kind: "file", pollMs: 50, settleMs: 10 } };

/** A daemon that reads two files and has a fixed list. */
function writeUpstream(folder: TemporaryFolder): string {
  folder.replace("orders.json", membersOf("o1"));
  folder.replace("billing.json", membersOf("b1"));
  return folder.write("upstream.json", {
    backends,
    dataDir: "upstream-data",
    topologies: {
      orders: { providers: [{ backend: "files", path: "orders.json" }] },
      billing: { providers: [{ backend: "files", path: "billing.json" }] },
      fixed: { providers: [{ id: "m", kind: "memory", params: membersOf("f1") }] },
    },
  });
}

/** A daemon that relays the topologies of another one. The file of the orders is its standby. */
function writeRelay(folder: TemporaryFolder, url: string): string {
  return folder.write("relay.json", {
    backends: { ...backends, upstream: { kind: "holdfast", url } },
    dataDir: "relay-data",
    health: QUICK,
    topologies: {
      orders: {
        providers: [
          { backend: "upstream", topology: "orders" },
          { backend: "files", path: "orders.json" },
        ],
      },
      billing: { providers: [{ backend: "upstream", topology: "billing" }] },
      fixed: { required: false, providers: [{ backend: "upstream", topology: "fixed" }] },
    },
  });
}

async function shows(directory: FollowedDirectory, name: string, ...ids: readonly string[]): Promise<string> {
  const { snapshot } = await directory
    .topology(name)
    .waitFor(
      ({ snapshot: newest, isStale }) =>
        !isStale && [...(newest?.members ?? [])].map(({ id }) => id).join() === ids.join(),
    );
  return snapshot!.hash;
}

// R7.1, R7.4
test(
  "three topologies of a daemon reach a follower through a second daemon, and fail one by one",
  { timeout: 120_000 },
  async () => {
    using folder = new TemporaryFolder();
    const upstream = new DaemonLife(writeUpstream(folder));
    await using relay = new DaemonLife(writeRelay(folder, await upstream.url()));
    const names = ["orders", "billing", "fixed"];
    await using followed = follow({ url: await relay.url(), topologies: names, health: QUICK });
    await shows(followed, "orders", "o1");
    const billing = await shows(followed, "billing", "b1");
    const fixed = await shows(followed, "fixed", "f1");
    const before = followed.topology("fixed").state.seqNo;

    folder.replace("orders.json", membersOf("o1", "o2"));
    await shows(followed, "orders", "o1", "o2");
    // The file of one topology is damaged. The upstream holds what it knows and reports it as stale; the relay uses its standby.
    folder.replace("billing.json", "{ damaged");
    await followed.topology("billing").waitFor(({ isStale }) => isStale);
    folder.replace("orders.json", membersOf("o2"));
    await shows(followed, "orders", "o2");
    expect(followed.topology("billing").state.snapshot?.hash).toBe(billing);
    expect(followed.topology("fixed").state).toMatchObject({ status: "ready", seqNo: before });

    await upstream.kill();
    await relay.until((line) => line.kind === "provider_changed" && line["topology"] === "orders");
    folder.replace("orders.json", membersOf("o2", "o3"));
    await shows(followed, "orders", "o2", "o3");
    await followed.topology("fixed").waitFor(({ isStale }) => isStale);
    expect(followed.topology("fixed").state.snapshot?.hash).toBe(fixed);
    const readiness = await fetch(`${await relay.url()}/readyz`);
    expect([readiness.status, await readiness.json()]).toMatchObject([
      503,
      {
        notReady: [
          { name: "billing", isRequired: true },
          { name: "fixed", isRequired: false },
        ],
      },
    ]);
    expect(await relay.stop()).toEqual({ code: 0, err: "" });
  },
);
