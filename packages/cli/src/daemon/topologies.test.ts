import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { TemporaryFolder, TestEventSource } from "@holdfast-apps/test-support";
import { describe, expect, test } from "vitest";
import { runCli } from "../cli.ts";
import { adapterModule } from "../../test/adapter-module.ts";
import { DaemonProcess, type DaemonLine } from "../../test/daemon-process.ts";
import { member } from "../../test/served-hub.ts";
import { TestTerminal } from "../../test/test-terminal.ts";

const QUICK = { maxErrors: 1, backoffInitialMs: 50, backoffMaxMs: 100, cooldownMs: 400 };

const membersOf = (...ids: readonly string[]) => ({ members: ids.map((id) => member(id)) });

const hasStatus = (topology: string, status: string) => (line: DaemonLine) =>
  line.kind === "status_changed" && line["topology"] === topology && line["to"] === status;

const isSnapshot = (topology: string, memberCount: number) => (line: DaemonLine) =>
  line.kind === "snapshot" && line["topology"] === topology && line["memberCount"] === memberCount;

async function getJson(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

function createConfig(folder: TemporaryFolder, rest: object): void {
  const backends = { files: { kind: "file", pollMs: 100, settleMs: 20 } };
  folder.write("holdfast.yaml", { backends, health: QUICK, ...rest });
}

/** Three topologies: a file of `orders` and of `billing`, and the members of `static`. */
function createFolder(rest: object = {}): TemporaryFolder {
  const folder = new TemporaryFolder();
  folder.write("orders.json", membersOf("o1", "o2"));
  folder.write("billing.json", membersOf("b1"));
  createConfig(folder, {
    topologies: {
      orders: { providers: [{ backend: "files", path: "orders.json" }] },
      billing: { providers: [{ backend: "files", path: "billing.json" }] },
      static: { required: false, providers: [{ id: "m", kind: "memory", params: membersOf("s1") }] },
    },
    ...rest,
  });
  return folder;
}

async function stop(daemon: DaemonProcess): Promise<void> {
  daemon.signal("SIGTERM");
  expect(await daemon.exit()).toEqual({ code: 0, err: "" });
}

// R7.1
describe("holdfast run with several topologies", () => {
  test("serves each by its name, with its own log and folder, and a failing one does not affect the others", async () => {
    using folder = createFolder();
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    const started = await daemon.until(({ kind }) => kind === "started");
    expect(started).toMatchObject({
      topologies: ["orders", "billing", "static"],
      dataDir: folder.at("holdfast-data"),
    });
    for (const name of ["orders", "billing", "static"]) await daemon.until(hasStatus(name, "ready"));
    const url = await daemon.url();
    expect(await getJson(`${url}/topologies`)).toMatchObject({
      topologies: [
        { name: "billing", memberCount: 1 },
        { name: "orders", memberCount: 2, isRequired: true },
        { name: "static", isRequired: false },
      ],
    });
    expect((await fetch(`${url}/topology`)).status).toBe(404);
    await using client = await TestEventSource.open(url, { path: "/topologies/orders/events" });
    expect(await client.next()).toMatchObject({ event: "state", data: { memberCount: 2 } });

    await rm(folder.at("billing.json"));
    await daemon.until(hasStatus("billing", "unavailable"));
    folder.write("orders.json", membersOf("o1", "o2", "o3"));
    await daemon.until(isSnapshot("orders", 3));
    expect(await client.next()).toMatchObject({ event: "snapshot", data: { memberCount: 3 } });
    expect(await getJson(`${url}/readyz`)).toMatchObject({ isReady: false, notReady: [{ name: "billing" }] });
    expect(await getJson(`${url}/topologies/orders`)).toMatchObject({ status: "ready", memberCount: 3 });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^holdfast_members\{topology="orders"\} 3$/m);

    await stop(daemon);
    for (const name of ["orders", "billing", "static"]) {
      const numbers = daemon.lines.flatMap((line) =>
        line["topology"] === name && line["seqNo"] !== undefined ? [line["seqNo"]] : [],
      );
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      expect(existsSync(folder.at(`holdfast-data/topologies/${name}/providers.jsonl`))).toBe(true);
    }
    expect(existsSync(folder.at("holdfast-data/generation.json"))).toBe(true);
    expect(existsSync(folder.at("holdfast-data/providers.jsonl"))).toBe(false);
  });

  test("a data folder of a daemon with one topology is the one of the topology default", async () => {
    using folder = createFolder({ topologies: undefined });
    const add = [
      "providers",
      "add",
      "-c",
      "holdfast.yaml",
      "--id",
      "m",
      "--kind",
      "memory",
      "--priority",
      "1",
    ];
    const params = JSON.stringify(membersOf("stored"));
    const terminal = new TestTerminal({ cwd: folder.path });
    expect(await runCli([...add, "--params", params], terminal)).toBe(0);
    folder.write("holdfast.yaml", { topologies: { default: {}, other: { providers: [] } } });
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(hasStatus("default", "ready"));
    expect(await getJson(`${await daemon.url()}/topology`)).toMatchObject({ members: [{ id: "stored" }] });
    await stop(daemon);
  });

  // R5.4
  test("SIGHUP brings the changes of all topologies into force, or of none", async () => {
    using folder = createFolder();
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    for (const name of ["orders", "billing", "static"]) await daemon.until(hasStatus(name, "ready"));
    const url = await daemon.url();
    await using kept = await TestEventSource.open(url, { path: "/topologies/orders/events" });
    await using removed = await TestEventSource.open(url, { path: "/topologies/static/events" });
    const epochOf = async (name: string) => (await getJson(`${url}/topologies/${name}`))["epoch"];
    const epochs = [await epochOf("orders"), await epochOf("billing")];
    folder.write("third.json", membersOf("t1"));
    const topologies = {
      orders: { providers: [{ backend: "files", path: "orders.json" }] },
      billing: { health: { timeoutMs: 9_000 }, providers: [{ backend: "files", path: "third.json" }] },
      third: { providers: [{ backend: "files", path: "third.json" }] },
    };
    const write = (rest: object) => createConfig(folder, { topologies: { ...topologies, ...rest } });
    write({ bad: { providers: [{ backend: "files", path: "none.json" }] } });
    daemon.signal("SIGHUP");
    expect(await daemon.until(({ kind }) => kind === "reload_refused")).toMatchObject({
      error: { code: "CONNECTIVITY_REFUSED", topology: "bad" },
    });
    expect(await getJson(`${url}/topologies`)).toMatchObject({
      topologies: [{ name: "billing", epoch: epochs[1] }, { name: "orders" }, { name: "static" }],
    });

    write({});
    daemon.signal("SIGHUP");
    expect(await daemon.until(({ kind }) => kind === "reloaded")).toMatchObject({
      appeared: ["third"],
      disappeared: ["static"],
      changed: [],
      restarted: ["billing"],
      topologies: { orders: ["files"], billing: ["files"], third: ["files"] },
    });
    await daemon.until(hasStatus("third", "ready"));
    expect((await removed.rest()).at(-1)).toMatchObject({ data: { to: "draining" } });
    expect(await epochOf("orders")).toBe(epochs[0]);
    expect(await epochOf("billing")).not.toBe(epochs[1]);
    expect((await fetch(`${url}/topologies/static`)).status).toBe(404);
    const notes = daemon.lines.flatMap(({ kind, topology }) =>
      kind.endsWith("appeared") ? [`${kind} ${topology}`] : [],
    );
    expect(notes.toSorted()).toEqual([
      "appeared billing",
      "appeared third",
      "disappeared billing",
      "disappeared static",
    ]);
    // The log of a topology that has disappeared is printed to its end.
    await daemon.until(hasStatus("static", "stopped"));
    await stop(daemon);
    expect((await kept.next())?.event).toBe("state");
    expect((await kept.rest()).map(({ event }) => event)).toEqual(["status_changed"]);
  });

  test("SIGUSR2 accepts the removals that any topology holds", async () => {
    using folder = createFolder({ guards: { massRemoval: { when: "always", holdMs: 600_000 } } });
    folder.write("orders.json", membersOf("o1", "o2", "o3"));
    folder.write("billing.json", membersOf("b1", "b2", "b3", "b4"));
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    for (const name of ["orders", "billing"]) await daemon.until(hasStatus(name, "ready"));
    daemon.signal("SIGUSR2");
    const none = await daemon.until(({ kind }) => kind === "removals_accepted");
    expect(none).toMatchObject({ isAccepted: false });
    folder.write("orders.json", membersOf("o1"));
    folder.write("billing.json", membersOf("b1", "b2"));
    for (const name of ["orders", "billing"]) {
      await daemon.until(
        (line) => line.kind === "guard_changed" && line["topology"] === name && line["isHolding"] === true,
      );
    }
    daemon.signal("SIGUSR2");
    for (const name of ["orders", "billing"]) {
      await daemon.until(({ isAccepted, topology }) => isAccepted === true && topology === name);
    }
    await daemon.until(isSnapshot("orders", 1));
    await daemon.until(isSnapshot("billing", 2));
    await stop(daemon);
  });

  // R1.5
  test("a damaged store of one topology stops the start, naming file, line and reason", async () => {
    using folder = createFolder();
    await mkdir(folder.at("holdfast-data/topologies/billing"), { recursive: true });
    const file = folder.write("holdfast-data/topologies/billing/providers.jsonl", "{ damaged");
    const terminal = new TestTerminal({ cwd: folder.path });
    expect(await runCli(["run", "-c", "holdfast.yaml", "--port", "0", "--json"], terminal)).toBe(1);
    const { error } = JSON.parse(terminal.err) as { error: { code: string; message: string } };
    expect(error.code).toBe("STORE_CORRUPTED");
    expect(error.message).toContain(file);
    expect(error.message).toMatch(/line 1|header/);
  });

  test("a backend that cannot be reached stops the start of its topology only, which is tried again", async () => {
    using folder = createFolder();
    await rm(folder.at("billing.json"));
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    expect(
      await daemon.until(({ kind, topology }) => kind === "warning" && topology === "billing"),
    ).toMatchObject({
      code: "CONNECTIVITY_REFUSED",
    });
    await daemon.until(hasStatus("orders", "ready"));
    const url = await daemon.url();
    expect(await getJson(`${url}/topologies/billing`)).toMatchObject({ status: "starting" });
    folder.write("billing.json", membersOf("b1"));
    await daemon.until(hasStatus("billing", "ready"));
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await stop(daemon);
  });

  test("the daemon ends when no topology can start, and names them all", async () => {
    using folder = createFolder();
    await rm(folder.at("orders.json"));
    await rm(folder.at("billing.json"));
    createConfig(folder, {
      topologies: {
        orders: { providers: [{ backend: "files", path: "orders.json" }] },
        billing: { providers: [{ backend: "files", path: "billing.json" }] },
      },
    });
    const terminal = new TestTerminal({ cwd: folder.path });
    expect(await runCli(["run", "-c", "holdfast.yaml", "--port", "0"], terminal)).toBe(1);
    expect(terminal.err).toMatch(
      /^error: not every topology can be accepted:\n {2}orders {2}.*orders\.json.*\n {2}billing {2}.*\n$/,
    );
    expect(terminal.out).not.toContain("tried again");
  });

  test.skipIf(process.platform === "win32")("a file that never opens delays no other topology", async () => {
    using folder = createFolder();
    await rm(folder.at("billing.json"));
    execFileSync("mkfifo", [folder.at("billing.json")]);
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(hasStatus("orders", "ready"));
    folder.write("orders.json", membersOf("o3"));
    await daemon.until(isSnapshot("orders", 1));
    await stop(daemon);
  });

  // R6.2
  test("an adapter's error outside of any call ends the watch of its own provider, not one with the same id elsewhere", async () => {
    const fails = `create(descriptor, context) {
      const members = [{ id: descriptor.params.region, host: "a.test", port: 1 }];
      const provider = adapter.create({ ...descriptor, params: adapter.params.parse({ members }) }, context);
      if (descriptor.params.region === "bad") setTimeout(() => { throw new Error("late"); }, 300);
      return provider;
    },`;
    using folder = createFolder({
      adapters: ["./plugin.mjs"],
      topologies: {
        good: { providers: [{ id: "same", kind: "plugin", params: { region: "good" } }] },
        bad: { providers: [{ id: "same", kind: "plugin", params: { region: "bad" } }] },
      },
    });
    folder.write("plugin.mjs", adapterModule("plugin", fails));
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until((line) => line.kind === "health_changed" && line["to"] === "unreachable");
    await daemon.until(({ kind }) => kind === "warning");
    const ends = daemon.lines.filter(({ kind }) => kind === "stream_terminated");
    expect(ends.map(({ topology }) => topology)).toEqual(["bad"]);
    await stop(daemon);
  });
});

describe("lines of text", () => {
  test("name the topology that they concern", async () => {
    using folder = createFolder();
    const terminal = new TestTerminal({ cwd: folder.path });
    const running = runCli(["run", "-c", "holdfast.yaml", "--port", "0"], terminal);
    await expect
      .poll(() => terminal.out, { timeout: 20_000 })
      .toMatch(/ orders {3}#\d+ +status_changed +starting → ready/);
    await expect
      .poll(() => terminal.out, { timeout: 20_000 })
      .toMatch(/ static {3}#\d+ +status_changed +starting → ready/);
    terminal.signal("SIGUSR2");
    terminal.signal("SIGTERM");
    expect(await running).toBe(0);
    expect(terminal.out).toMatch(/^ {2}topologies orders, billing, static$/m);
    expect(terminal.out).toMatch(/^ {2}endpoints {2}http:\S+ {2}\/topologies \/topologies\/NAME /m);
    expect(terminal.out).toMatch(/^[\d:.]+ {2}billing {2}#1 /m);
    expect(terminal.out).toMatch(/^[\d:.]+ {11}\* +removals_accepted +no removals are held$/m);
  });
});
