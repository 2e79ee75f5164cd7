import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WatchRecording } from "@holdfast/conformance";
import type { ClusterProvider } from "@holdfast/core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { emptyFolder } from "@holdfast-apps/lab/packed-packages";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { ConsulCluster, eventually } from "@holdfast-apps/lab";
import { createRealProvider, failureOf, probe, shows, time, watch } from "./watched-real.ts";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });
const HEARTBEAT_MS = 1_000;

async function held(recording: WatchRecording) {
  return recording.waitFor("a held event", () => recording.events.find(({ type }) => type === "held"));
}

describeReal("Consul servers without a quorum", ["consul program"], () => {
  let cluster: ConsulCluster;
  let folder: Awaited<ReturnType<typeof emptyFolder>>;
  let tokenFile: string;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    folder = await emptyFolder();
    // With this setting every default query allows stale results.
    cluster = await ConsulCluster.start({ discovery_max_stale: "1h" });
    const { catalog } = await cluster.leader();
    await catalog.register("quorum", node("a"));
    tokenFile = join(folder.path, "token");
    await writeFile(tokenFile, (await cluster.createToken("quorum")).secret);
    await eventually(async () => expect(await probe(provide({}))).toBeUndefined());
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
    await Promise.all(cluster.servers.map(({ process }) => process.restart()));
    await eventually(async () => {
      const { catalog } = await cluster.leader();
      await catalog.register("quorum", node("a"));
      expect(await probe(provide({}))).toBeUndefined();
    });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  function provide(params: Readonly<Record<string, unknown>>): ClusterProvider {
    const provider = createRealProvider(
      "consul",
      {
        addresses: cluster.servers.map(({ address }) => address),
        service: "quorum",
        nodeId: "service-id",
        tls: { caFile: cluster.caFile },
        token: { file: tokenFile },
        ...params,
      },
      HEARTBEAT_MS,
    );
    open.push(provider);
    return provider;
  }

  /** Kills all servers except the first. */
  async function loseQuorum(): Promise<void> {
    await Promise.all(cluster.servers.slice(1).map(({ process }) => process.kill()));
  }

  // R2.7 H1 H6: a response from the local copy of a server is not a heartbeat, whether stale results were requested or not.
  test.each(["stale", "default"])(
    "keep their content as held, with its age, for %s queries",
    async (consistency) => {
      const [left] = cluster.servers;
      const provider = provide({ consistency, addresses: [left!.address] });
      const recording = watch(provider);
      await shows(recording, "a");
      await loseQuorum();
      expect(await held(recording)).toMatchObject({
        reason: { code: "STREAM_STALE", details: { address: left!.address } },
      });
      // A server notices only after a while that its leader is gone. Until then it reports a leader without contact.
      await recording.waitFor("a held event without a leader", () =>
        recording.events.find(
          (event) => event.type === "held" && event.reason.details?.["hasLeader"] === false,
        ),
      );
      const since = recording.events.length;
      await recording.waitFor("three more events", () =>
        recording.events.length >= since + 3 ? true : undefined,
      );
      expect(recording.events.slice(since).map(({ type }) => type)).not.toContain("heartbeat");
      // A new watch delivers the same snapshot, marked as held.
      const fresh = watch(provider);
      await shows(fresh, "a");
      expect(fresh.events[0]).toMatchObject({ type: "snapshot", held: { code: "STREAM_STALE" } });
      // With a leader again, the changes are delivered.
      await Promise.all(cluster.servers.slice(1).map(({ process }) => process.start()));
      await eventually(async () => (await cluster.leader()).catalog.register("quorum", node("b")));
      await shows(recording, "a", "b");
      await recording.waitFor("a heartbeat", () =>
        recording.events.at(-1)?.type === "heartbeat" ? true : undefined,
      );
      for (const each of [recording, fresh]) each.abort();
      await (await cluster.leader()).catalog.deregister("quorum", "b");
    },
  );

  // R2.7 H1
  test("cause no heartbeat of an agent that cannot reach them", async () => {
    const recording = watch(provide({ addresses: [cluster.client.address] }));
    await shows(recording, "a");
    await recording.waitFor("a heartbeat", () => recording.events.find(({ type }) => type === "heartbeat"));
    for (const { process } of cluster.servers) process.freeze();
    try {
      await time.advance(2 * HEARTBEAT_MS);
      const before = recording.events.length;
      await time.advance(4 * HEARTBEAT_MS);
      expect(recording.events.slice(before)).toEqual([]);
    } finally {
      for (const { process } of cluster.servers) process.thaw();
    }
    await Promise.all(cluster.servers.map(({ process }) => process.kill()));
    const fresh = await failureOf(watch(provide({ addresses: [cluster.client.address] })));
    expect(fresh).toMatchObject({ code: "CONNECTIVITY_UNAVAILABLE", details: { status: 500 } });
  });

  // H8
  test("cause CONNECTIVITY_NO_LEADER when several addresses are configured", async () => {
    await loseQuorum();
    const failure = await eventually(async () => {
      const error = await failureOf(watch(provide({ consistency: "consistent" })));
      expect(error.code).toBe("CONNECTIVITY_NO_LEADER");
      return error;
    });
    expect(failure.details["addresses"]).toHaveLength(3);
    expect(await probe(provide({}))).toMatchObject({ code: "CONNECTIVITY_NO_LEADER" });
  });
});
