import { once } from "node:events";
import { rename } from "node:fs/promises";
import { TestEventSource } from "@holdfast-apps/test-support";
import { sleep, systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { runCli } from "../cli.ts";
import { adapterModule } from "../../test/adapter-module.ts";
import { DaemonProcess, MAIN, type DaemonLine } from "../../test/daemon-process.ts";
import { member, serveHub } from "../../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { TestTerminal } from "../../test/test-terminal.ts";

const QUICK = { maxErrors: 1, backoffInitialMs: 50, backoffMaxMs: 100, cooldownMs: 400 };

function fileProvider(id: string, priority: number) {
  return { id, kind: "file", priority, params: { path: `${id}.json`, pollMs: 100, settleMs: 20 } };
}

function topology(...ids: readonly string[]) {
  return { members: ids.map((id) => member(id)) };
}

/** Creates a folder with two topology files and a configuration that watches them. */
function createFolder(): TemporaryFolder {
  const folder = new TemporaryFolder();
  folder.write("primary.json", topology("a", "b"));
  folder.write("backup.json", topology("a"));
  const providers = [fileProvider("primary", 100), fileProvider("backup", 50)];
  folder.write("holdfast.yaml", { providers, health: QUICK });
  return folder;
}

const isReady = ({ kind, to }: DaemonLine) => kind === "status_changed" && to === "ready";
const isChangeTo = (id: string) => (line: DaemonLine) =>
  line.kind === "provider_changed" && line["to"] === id;

async function getJson(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

describe("holdfast run", () => {
  test("watches, fails over and back, serves throughout, drains and exits with 0", async () => {
    using folder = createFolder();
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(isReady);
    const url = await daemon.url();
    expect(await getJson(`${url}/readyz`)).toMatchObject({ status: "ready" });
    await using client = await TestEventSource.open(url);
    expect(await client.next()).toMatchObject({ event: "state", data: { memberCount: 2 } });

    // R2.1: an edit is detected.
    folder.write("primary.json", topology("a", "b", "c"));
    const edited = await daemon.until(({ kind, memberCount }) => kind === "snapshot" && memberCount === 3);
    expect(edited["delta"].added).toMatchObject([{ id: "c" }]);

    // R2.5, R3.4: the file is removed, so backup takes over. Its snapshot comes after provider_changed.
    await rename(folder.at("primary.json"), folder.at("away.json"));
    const over = await daemon.until(isChangeTo("backup"));
    expect(over).toMatchObject({ from: "primary", snapshotHash: edited["hash"] });
    const held = await daemon.until((line) => line["providerId"] === "backup" && line.kind === "snapshot");
    expect(held["seqNo"]).toBeGreaterThan(over["seqNo"]);
    expect(await getJson(`${url}/topology`)).toMatchObject({ providerId: "backup", memberCount: 1 });

    // R2.6: failback after the cooldown.
    await rename(folder.at("away.json"), folder.at("primary.json"));
    expect(await daemon.until(isChangeTo("primary"))).toMatchObject({ reason: "recovered" });
    await daemon.until(isReady);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain("process_cpu_seconds_total");
    // R5.1
    expect(metrics).toMatch(/^holdfast_/m);

    daemon.signal("SIGTERM");
    expect(await daemon.exit()).toEqual({ code: 0, err: "" });
    // R3.5
    expect(daemon.lines.slice(-3)).toMatchObject([
      { kind: "status_changed", to: "draining" },
      { kind: "status_changed", to: "stopped" },
      { kind: "stopped", unfinished: [] },
    ]);
    const printed = daemon.lines.filter((line) => line["seqNo"] !== undefined);
    expect(printed.map((line) => line["seqNo"])).toEqual(printed.map((_, index) => index + 1));
    const received = await client.rest();
    const numbers = received.map((event) => event.data.seqNo);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0] + index));
    expect(received.at(-1)).toMatchObject({ event: "status_changed", data: { to: "draining" } });
  });

  test("reloads the configuration at SIGHUP, all or nothing", async () => {
    using folder = createFolder();
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(isReady);
    const url = await daemon.url();
    const providersOf = async () =>
      ((await getJson(`${url}/topology`))["providers"] as { providerId: string }[]).map((p) => p.providerId);

    folder.write("third.json", topology("z"));
    const three = [fileProvider("third", 200), fileProvider("primary", 100), fileProvider("backup", 50)];
    folder.write("holdfast.yaml", { providers: three, health: QUICK, shutdown: { drainMs: 9_000 } });
    daemon.signal("SIGHUP");
    expect(await daemon.until(({ kind }) => kind === "reloaded")).toMatchObject({
      providers: ["third", "primary", "backup"],
      changed: ["default"],
      restarted: [],
    });
    await daemon.until(({ kind }) => kind === "restart_needed");
    expect(await providersOf()).toEqual(["third", "primary", "backup"]);

    const wrong = [
      ...three,
      { id: "primary", kind: "file", params: {} },
      { id: "x", kind: "etcd", priority: 1 },
    ];
    folder.write("holdfast.yaml", { providers: wrong, health: QUICK });
    daemon.signal("SIGHUP");
    // R5.4: the old set stays in force, and every problem is named.
    const refused = await daemon.until(({ kind }) => kind === "reload_refused");
    expect(refused["error"].problems.map((problem: { path: string }) => problem.path)).toEqual([
      "providers[3].priority",
      "providers[3].id",
      "providers[3].params.path",
      "providers[4].params",
      "providers[4].kind",
    ]);
    const unreachable = [...three, fileProvider("nowhere", 1)];
    folder.write("holdfast.yaml", { providers: unreachable, health: QUICK });
    daemon.signal("SIGHUP");
    const from = daemon.lines.length;
    expect(await daemon.until(({ kind }) => kind === "reload_refused", from)).toMatchObject({
      error: { code: "CONNECTIVITY_REFUSED" },
    });
    expect(await providersOf()).toEqual(["third", "primary", "backup"]);
    daemon.signal("SIGINT");
    expect(await daemon.exit()).toEqual({ code: 0, err: "" });
  });

  // R6.2
  test("loads adapters only at its start", async () => {
    using folder = createFolder();
    folder.write("nomad.mjs", `console.error("loaded");${adapterModule("nomad")}`);
    folder.write("other.mjs", adapterModule("other"));
    const nomad = { id: "nomad", kind: "nomad", priority: 200, params: { region: "eu" } };
    const write = (adapters: readonly string[], ...providers: readonly object[]) =>
      folder.write("holdfast.yaml", { adapters, providers, health: QUICK });
    write(["./nomad.mjs"], nomad);
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(isReady);
    const url = await daemon.url();
    expect(await getJson(`${url}/topology`)).toMatchObject({ providerId: "nomad", members: [{ id: "eu" }] });

    write(["./nomad.mjs", "./none.mjs"], nomad, fileProvider("backup", 50));
    daemon.signal("SIGHUP");
    expect(await daemon.until(({ kind }) => kind === "restart_needed")).toMatchObject({
      message: expect.stringContaining("at the next start"),
    });
    expect((await getJson(`${url}/topology`))["providers"]).toMatchObject([
      { providerId: "nomad" },
      { providerId: "backup" },
    ]);
    write(["./other.mjs"], { ...nomad, kind: "other" });
    daemon.signal("SIGHUP");
    const refused = await daemon.until(({ kind }) => kind === "reload_refused");
    expect(refused["error"].problems).toMatchObject([{ path: "providers[0].kind" }]);
    daemon.signal("SIGTERM");
    expect(await daemon.exit()).toEqual({ code: 0, err: "loaded\n" });
  });

  test("adopts additions to the store at SIGHUP, and restores them after a crash", async () => {
    using folder = createFolder();
    folder.write("holdfast.yaml", { health: QUICK });
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    const url = await daemon.url();
    const add = ["providers", "add", "--config", "holdfast.yaml", "-"];
    const stdin = JSON.stringify(fileProvider("primary", 1));
    expect(await runCli(add, new TestTerminal({ cwd: folder.path, stdin }))).toBe(0);
    daemon.signal("SIGHUP");
    expect(await daemon.until(({ kind }) => kind === "reloaded")).toMatchObject({ providers: ["primary"] });
    await daemon.until(isReady);
    daemon.signal("SIGKILL");
    await daemon.exit();

    // R1.5: exactly the same set, in another epoch.
    await using again = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await again.until(isReady);
    const resumed = await TestEventSource.open(await again.url(), {
      lastEventId: `${daemon.lines.at(-1)!["epoch"]}:1`,
    });
    expect(await resumed.next()).toMatchObject({
      event: "state",
      data: { providers: [{ providerId: "primary", kind: "file", priority: 1 }], memberCount: 2 },
    });
    await resumed[Symbol.asyncDispose]();
    expect(url).not.toBe("");
  });

  test("reports what prevents its start, with the matching exit code", async () => {
    using folder = createFolder();
    const failure = async (config: unknown, args: readonly string[] = ["--port", "0"]) => {
      const terminal = new TestTerminal({ cwd: folder.path });
      folder.write("wrong.yaml", config);
      const code = await runCli(["run", "-c", "wrong.yaml", "--json", ...args], terminal);
      expect(terminal.listeners).toBe(0);
      return [code, (JSON.parse(terminal.err) as { error: { code: string } }).error.code];
    };
    expect(await failure("http: 5")).toEqual([2, "VALIDATION_MALFORMED"]);
    expect(await failure("adapters: [none]")).toEqual([2, "VALIDATION_ADAPTER_UNAVAILABLE"]);
    // R1.4
    expect(await failure({ providers: [fileProvider("nowhere", 1)] })).toEqual([1, "CONNECTIVITY_REFUSED"]);
    // R1.5: fail fast.
    folder.write("providers.jsonl", "{ damaged");
    expect(await failure({ dataDir: "." })).toEqual([1, "STORE_CORRUPTED"]);
    await using served = await serveHub();
    const { port } = new URL(served.server.url);
    expect(await failure({ dataDir: "other" }, ["--port", port])).toEqual([1, "LIFECYCLE_LISTEN_FAILED"]);
  });

  test("drains to its deadline and exits with 1 when the store hangs", async () => {
    using folder = createFolder();
    const providers = [fileProvider("primary", 100)];
    folder.write("holdfast.yaml", { providers, shutdown: { drainMs: 50 } });
    // Simulates a file system that does not respond, such as a network file system.
    const hang = `
      import fs from "node:fs/promises";
      import { syncBuiltinESMExports } from "node:module";
      const { rename } = fs;
      fs.rename = (from, to) => {
        if (!String(to).endsWith("providers.jsonl")) return rename(from, to);
        console.log('{ "kind": "hanging" }');
        return new Promise(() => setInterval(() => {}, 1_000));
      };
      syncBuiltinESMExports();`;
    const preload = `data:text/javascript,${encodeURIComponent(hang)}`;
    const command = ["--import", preload, MAIN, "run", "-c", folder.at("holdfast.yaml"), "--port", "0"];
    await using daemon = new DaemonProcess(command).read();
    await daemon.until(({ kind }) => kind === "hanging");
    daemon.signal("SIGTERM");
    expect(await daemon.exit()).toMatchObject({ code: 1, err: "" });
    expect(daemon.lines.at(-1)).toMatchObject({
      kind: "stopped",
      unfinished: ["default: registry: a save or the disposal of a provider"],
    });
  });

  test("exits at once at a second Ctrl-C, with 130", async () => {
    using folder = createFolder();
    folder.write("primary.json", topology(...Array.from({ length: 3_000 }, (_, index) => `n${index}`)));
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml"));
    const [started] = await once(daemon.stdout, "data");
    // From here on nothing is read, so the first snapshot cannot be printed, which delays the end.
    daemon.stdout.pause();
    const { url } = JSON.parse(String(started)) as { url: string };
    while ((await getJson(`${url}/readyz`))["status"] !== "ready") await sleep(50, { clock: systemClock });
    while (!daemon.hasEnded) {
      daemon.signal("SIGINT");
      await sleep(100, { clock: systemClock });
    }
    daemon.stdout.resume();
    expect(await daemon.exit()).toEqual({ code: 130, err: "" });
  });
});
