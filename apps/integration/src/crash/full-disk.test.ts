import { spawnSync } from "node:child_process";
import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FileProviderStore } from "@holdfast/store-file";
import { expect, test } from "vitest";
import { emptyFolder, execute } from "@holdfast-apps/lab/packed-packages";
import { DaemonLife } from "@holdfast-apps/lab";

/** With a file size limit, the kernel writes a part and rejects the rest, as on a full disk. */
const LIMITED = ["sh", "-c", `trap "" XFSZ; ulimit -S -f 4; exec "$@"`, "sh"];

const hasPrlimit = spawnSync("prlimit", ["--version"]).status === 0;
if (!hasPrlimit && process.env["HOLDFAST_REQUIRE_BACKENDS"] === "1")
  throw new Error("HOLDFAST_REQUIRE_BACKENDS=1 forbids to skip: the full disk (needs prlimit of util-linux)");

function providers(count: number): readonly object[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `provider-${index}`,
    kind: "file",
    priority: count - index,
    params: { path: "topology.json", pollMs: 100, settleMs: 20 },
  }));
}

// R1.5, R5.4
test.skipIf(!hasPrlimit)(
  "a daemon whose disk fills up during a write keeps the old set in force and watched, and accepts the new one later (needs prlimit)",
  async () => {
    await using folder = await emptyFolder();
    const at = (name: string) => join(folder.path, name);
    const write = async (name: string, document: object) => {
      await writeFile(at("new"), JSON.stringify(document));
      await rename(at("new"), at(name));
    };
    const configure = (count: number) =>
      write("holdfast.json", { providers: providers(count), dataDir: "data" });
    const publish = (id: string) => write("topology.json", { members: [{ id, host: "a.test", port: 1 }] });
    const stored = async () =>
      (await new FileProviderStore({ path: at("data/providers.jsonl") }).load()).length;

    await configure(2);
    await publish("first");
    await using daemon = new DaemonLife(at("holdfast.json"), { starter: LIMITED });
    await daemon.until(({ kind, to }) => kind === "status_changed" && to === "ready");

    await configure(100);
    daemon.hangUp();
    const refused = await daemon.until(({ kind }) => kind === "reload_refused");
    expect(refused["error"]).toMatchObject({
      code: "STORE_IO",
      message: expect.stringContaining(`"${at("data/providers.jsonl")}" failed at write with EFBIG`),
    });
    expect(await stored()).toBe(2);
    expect(await readdir(at("data"))).not.toContainEqual(expect.stringMatching(/\.(tmp|claim)$/));
    await publish("second");
    await daemon.until(({ kind, delta }) => kind === "snapshot" && JSON.stringify(delta).includes("second"));
    expect((await daemon.topology()).providers).toHaveLength(2);

    await execute("prlimit", ["--pid", String(daemon.pid), "--fsize=unlimited"], folder.path);
    daemon.hangUp();
    await daemon.until(({ kind }) => kind === "reloaded");
    expect((await daemon.topology()).providers).toHaveLength(100);
    expect(await stored()).toBe(100);
    await daemon.kill();
  },
  60_000,
);

// R5.4, R7.1
test.skipIf(!hasPrlimit)(
  "a reload that one topology cannot save changes no topology, and leaves the stores as they were (needs prlimit)",
  async () => {
    await using folder = await emptyFolder();
    const at = (name: string) => join(folder.path, name);
    const write = async (name: string, document: object) => {
      await writeFile(at("new"), JSON.stringify(document));
      await rename(at("new"), at(name));
    };
    const configure = (count: number, id: string) =>
      write("holdfast.json", {
        topologies: {
          small: { providers: [{ ...providers(1)[0], id }] },
          large: { providers: providers(count) },
        },
        dataDir: "data",
      });
    const stored = async (name: string) => {
      const path = at(`data/topologies/${name}/providers.jsonl`);
      return (await new FileProviderStore({ path }).load()).map(({ id }) => id);
    };
    await configure(2, "before");
    await write("topology.json", { members: [{ id: "first", host: "a.test", port: 1 }] });
    await using daemon = new DaemonLife(at("holdfast.json"), { starter: LIMITED });
    for (const name of ["small", "large"])
      await daemon.until(
        ({ kind, topology, to }) => kind === "status_changed" && topology === name && to === "ready",
      );
    const inForce = async (name: string) =>
      (await daemon.topology(name)).providers.map(({ providerId }) => providerId);

    await configure(100, "after");
    daemon.hangUp();
    const refused = await daemon.until(({ kind }) => kind === "reload_refused");
    expect(refused["error"]).toMatchObject({ code: "STORE_IO", topology: "large" });
    expect([await inForce("small"), (await inForce("large")).length]).toEqual([["before"], 2]);
    expect([await stored("small"), (await stored("large")).length]).toEqual([["before"], 2]);

    await execute("prlimit", ["--pid", String(daemon.pid), "--fsize=unlimited"], folder.path);
    daemon.hangUp();
    await daemon.until(({ kind }) => kind === "reloaded");
    expect([await inForce("small"), (await inForce("large")).length]).toEqual([["after"], 100]);
    expect([await stored("small"), (await stored("large")).length]).toEqual([["after"], 100]);
    await daemon.kill();
  },
  60_000,
);
