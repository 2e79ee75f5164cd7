import { rmSync } from "node:fs";
import { eventually, type DaemonLife } from "@holdfast-apps/lab";
import { follow } from "@holdfast/client";
import { sleep, systemClock } from "@holdfast/core";
import { expect, test } from "vitest";
import { expectEqual, FileDaemons, fileProvider, membersOf } from "./file-daemons.ts";

/** Each daemon reads a file of its own, and falls over to the other daemon. */
async function startMesh(daemons: FileDaemons): Promise<readonly [DaemonLife, DaemonLife]> {
  const health = { timeoutMs: 15_000, cooldownMs: 500, backoffInitialMs: 100, backoffMaxMs: 300 };
  const start = (index: number) =>
    daemons.start(index, {
      providers: [
        fileProvider(`topology-${index}.json`),
        {
          id: "peer",
          kind: "holdfast",
          priority: 1,
          params: { url: daemons.urls[1 - index], maxStaleMs: 2_000 },
        },
      ],
      health,
      lastKnownGood: false,
      // The other daemon need not run when this one starts.
      validation: { probe: "warn" },
    });
  return [await start(0), await start(1)];
}

interface State {
  readonly status: string;
  readonly reason: string;
  readonly providerId: string | null;
  readonly hash: string | null;
  readonly version: number | undefined;
}

async function stateOf(daemon: DaemonLife): Promise<State> {
  const { members, ...state } = (await daemon.topology()) as unknown as State & {
    readonly members: readonly { readonly id: string; readonly port: number }[];
  };
  return { ...state, version: members.find(({ id }) => id === "n0")?.port };
}

const has = (daemon: DaemonLife, expected: Partial<State>) =>
  eventually(async () => expect(await stateOf(daemon)).toMatchObject(expected));

// R7.4
test(
  "two daemons serve each other's content, and do not keep each other ready when both have lost their backends",
  { timeout: 120_000 },
  async () => {
    await using daemons = await FileDaemons.create(2);
    for (const file of ["topology-0.json", "topology-1.json"]) daemons.publish(membersOf(1), file);
    const [a, b] = await startMesh(daemons);
    await using follower = follow({ url: daemons.urls });
    await has(a, { status: "ready", providerId: "file" });
    await has(b, { status: "ready", providerId: "file" });
    // Each has to be known by the other as a standby before it can take over.
    await eventually(async () => {
      for (const url of daemons.urls) {
        const document: unknown = await (await fetch(`${url}/health/providers`)).json();
        expect(document).toMatchObject({ providers: [{ health: "healthy" }, { health: "healthy" }] });
      }
    });

    rmSync(daemons.folder.at("topology-0.json"));
    await has(a, { status: "ready", providerId: "peer" });
    daemons.publish(membersOf(2), "topology-1.json");
    await has(b, { status: "ready", providerId: "file", version: 2 });
    await has(a, { status: "ready", providerId: "peer", version: 2 });
    const { hash } = await stateOf(b);
    await has(a, { hash });
    const { snapshot } = await follower.waitFor(
      (state) => state.status === "ready" && state.snapshot?.hash === hash,
    );
    await expectEqual(snapshot, `${daemons.urls[0]}/topology`);
    expect(snapshot?.via).toHaveLength(2);

    rmSync(daemons.folder.at("topology-1.json"));
    await has(a, { status: "unavailable", version: 2 });
    await has(b, { status: "unavailable", version: 2 });
    for (let i = 0; i < 20; i++) {
      await sleep(250, { clock: systemClock });
      expect([(await stateOf(a)).status, (await stateOf(b)).status]).toEqual(["unavailable", "unavailable"]);
    }

    daemons.publish(membersOf(3), "topology-0.json");
    await has(a, { status: "ready", providerId: "file", version: 3 });
    await has(b, { status: "ready", providerId: "peer", version: 3 });
    const last = await follower.waitFor(
      (state) => state.status === "ready" && state.snapshot?.members.get("n0")?.port === 3,
    );
    await expectEqual(last.snapshot, `${daemons.urls[0]}/topology`);
  },
);
