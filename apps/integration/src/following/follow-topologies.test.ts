import { eventually } from "@holdfast-apps/lab";
import { follow, type FollowedTopology } from "@holdfast/client";
import { expect, test } from "vitest";
import { expectEqual, FileDaemons, fileProvider, membersOf } from "./file-daemons.ts";

const SERVICES = Array.from({ length: 30 }, (_, i) => `service-${i}`);
const health = { cooldownMs: 500, backoffInitialMs: 100, backoffMaxMs: 300 };

const topologiesOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { providers: [fileProvider(`${name}.json`)] }]));

/** Resolves when the follower has the version as current content, and equals the daemon's topology at `url`. */
async function equals(topology: FollowedTopology, url: string, version: number): Promise<void> {
  const { snapshot } = await topology.waitFor(
    (state) => state.status === "ready" && state.snapshot?.members.get("n0")?.port === version,
  );
  await expectEqual(snapshot, url);
}

// R7.1 R7.4
test(
  "a process with thirty services follows them over one connection: through changes, a reload that adds and removes one, and a restart",
  { timeout: 120_000 },
  async () => {
    await using daemons = await FileDaemons.create(1);
    const [url = ""] = daemons.urls;
    for (const name of SERVICES) daemons.publish(membersOf(1, 20), `${name}.json`);
    const settings = (names: readonly string[]) => ({
      providers: undefined,
      topologies: topologiesOf(names),
      health,
    });
    const [removed = "", ...kept] = SERVICES;
    let daemon = await daemons.start(0, settings(SERVICES));
    const requests: string[] = [];
    await using directory = follow({
      url,
      topologies: SERVICES,
      health,
      transport: async ({ url: target, headers, signal }) => {
        requests.push(target);
        const response = await fetch(target, { headers, signal });
        return {
          status: response.status,
          header: (name) => response.headers.get(name) ?? undefined,
          body: response.body!,
        };
      },
    });
    const of = (name: string) => `${url}/topologies/${name}`;
    for (const name of SERVICES) await equals(directory.topology(name), of(name), 1);
    expect(requests).toHaveLength(1);

    daemons.publish(membersOf(2, 20), "service-7.json");
    await equals(directory.topology("service-7"), of("service-7"), 2);
    await equals(directory.topology("service-8"), of("service-8"), 1);

    daemons.folder.write("0.json", { ...settings(kept), dataDir: daemons.dataDir(0) });
    daemon.hangUp();
    const gone = directory.topology(removed);
    await eventually(() => expect(gone.state.status).toBe("unavailable"));
    expect(gone.daemons()).toMatchObject([{ reason: { code: "TOPOLOGY_UNKNOWN" } }]);
    expect(gone.state.snapshot?.members.size).toBe(20);
    expect(directory.topology("service-8").state.status).toBe("ready");

    daemons.folder.write("0.json", { ...settings(SERVICES), dataDir: daemons.dataDir(0) });
    daemon.hangUp();
    await equals(gone, of(removed), 1);
    expect(requests).toHaveLength(1);

    await daemon.kill();
    daemons.publish(membersOf(3, 20), "service-9.json");
    daemon = await daemons.start(0, settings(SERVICES));
    await equals(directory.topology("service-9"), of("service-9"), 3);
    for (const name of kept) await equals(directory.topology(name), of(name), versionOf(name));
  },
);

const versionOf = (name: string) => ({ "service-7": 2, "service-9": 3 })[name] ?? 1;
