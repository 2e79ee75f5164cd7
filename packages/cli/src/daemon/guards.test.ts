import { readFile, rename, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { DaemonProcess, type DaemonLine } from "../../test/daemon-process.ts";
import { member } from "../../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

const HEALTH = { maxErrors: 1, backoffInitialMs: 50, backoffMaxMs: 100, cooldownMs: 400 };

const topology = (...ids: readonly string[]) => ({ members: ids.map((id) => member(id)) });

function createFolder(more: object): TemporaryFolder {
  const folder = new TemporaryFolder();
  folder.write("topology.json", topology("a", "b", "c"));
  const params = { path: "topology.json", pollMs: 100, settleMs: 20 };
  const providers = [{ id: "files", kind: "file", priority: 1, params }];
  folder.write("holdfast.yaml", { providers, health: HEALTH, ...more });
  return folder;
}

const hasStatus =
  (status: string) =>
  ({ kind, to }: DaemonLine) =>
    kind === "status_changed" && to === status;

async function getTopology(daemon: DaemonProcess): Promise<Record<string, unknown>> {
  return (await (await fetch(`${await daemon.url()}/topology`)).json()) as Record<string, unknown>;
}

async function stop(daemon: DaemonProcess): Promise<void> {
  daemon.signal("SIGTERM");
  expect(await daemon.exit()).toEqual({ code: 0, err: "" });
}

describe("the daemon's guards", () => {
  test("the last known good topology is served as degraded when the backend is down at the start", async () => {
    // R5.3
    using folder = createFolder({});
    await using first = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await first.until(hasStatus("ready"));
    await stop(first);

    await rename(folder.at("topology.json"), folder.at("away.json"));
    await using second = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    // R2.7: a provider that never worked and is refused becomes unreachable at once, as in a running process.
    const unavailable = await second.until(hasStatus("unavailable"));
    expect(unavailable["reason"]).toMatch(
      /last known good snapshot of "files", confirmed \d+ s before this start/,
    );
    expect(await getTopology(second)).toMatchObject({
      status: "unavailable",
      isStale: true,
      memberCount: 3,
      holds: [{ guard: "last_known_good", providerId: "files", nodes: 3 }],
    });
    await rename(folder.at("away.json"), folder.at("topology.json"));
    await second.until(hasStatus("ready"));
    // The content did not change, so there is no second snapshot.
    expect(second.lines.filter(({ kind }) => kind === "snapshot")).toHaveLength(1);
    expect(await getTopology(second)).toMatchObject({ isStale: false, holds: [] });
    await stop(second);
  });

  test("a damaged stored topology causes a warning, and the daemon starts", async () => {
    using folder = createFolder({});
    await using first = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await first.until(hasStatus("ready"));
    await stop(first);
    const file = folder.at("holdfast-data/last-known-good.jsonl");
    await writeFile(file, (await readFile(file, "utf8")).replace('"a"', '"x"'));
    await using second = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    expect(await second.until(({ kind }) => kind === "warning")).toMatchObject({ code: "STORE_CORRUPTED" });
    await second.until(hasStatus("ready"));
    await stop(second);
  });

  test("no topology is stored when that is turned off", async () => {
    using folder = createFolder({ lastKnownGood: false });
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(hasStatus("ready"));
    await stop(daemon);
    await expect(readFile(folder.at("holdfast-data/last-known-good.jsonl"))).rejects.toThrow("ENOENT");
  });

  test("a mass removal is held until an operator accepts it", async () => {
    const massRemoval = { when: "always", holdMs: 600_000 };
    using folder = createFolder({ guards: { massRemoval } });
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(hasStatus("ready"));
    daemon.signal("SIGUSR2");
    expect(await daemon.until(({ kind }) => kind === "removals_accepted")).toMatchObject({
      isAccepted: false,
    });
    folder.write("topology.json", topology("a"));
    const held = await daemon.until(({ kind }) => kind === "guard_changed");
    expect(held).toMatchObject({ guard: "mass_removal", isHolding: true, nodes: 2 });
    await daemon.until(hasStatus("degraded"));
    expect(await getTopology(daemon)).toMatchObject({ memberCount: 3, holds: [{ guard: "mass_removal" }] });
    const metrics = await (await fetch(`${await daemon.url()}/metrics`)).text();
    expect(metrics).toMatch(/^holdfast_guard_held_members\{topology="default",guard="mass_removal"\} 2$/m);
    daemon.signal("SIGUSR2");
    await daemon.until(({ kind, memberCount }) => kind === "snapshot" && memberCount === 1);
    expect(await daemon.until(({ isAccepted }) => isAccepted === true)).toBeDefined();
    await stop(daemon);
  });
});
