import { readdir } from "node:fs/promises";
import { sleep, systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { runCli } from "../cli.ts";
import type { DaemonLine } from "../../test/daemon-process.ts";
import { TestEventSource } from "@holdfast-apps/test-support";
import { member } from "../../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { TestTerminal } from "../../test/test-terminal.ts";

/** A daemon in this process, so that it starts quickly, and signals and faults are method calls. */
class LocalDaemon implements AsyncDisposable {
  readonly terminal: TestTerminal;
  readonly folder: TemporaryFolder;
  readonly ended: Promise<number>;
  #seen = 0;

  constructor(folder: TemporaryFolder) {
    this.folder = folder;
    this.terminal = new TestTerminal({ cwd: folder.path });
    this.ended = runCli(["run", "-c", "holdfast.yaml", "--port", "0", "--json"], this.terminal);
  }

  /** Resolves once it handles signals, before it has read its configuration. */
  static async start(config: unknown, files: Readonly<Record<string, string>> = {}): Promise<LocalDaemon> {
    const folder = new TemporaryFolder();
    folder.write("holdfast.yaml", config);
    for (const [name, content] of Object.entries(files)) folder.write(name, content);
    const daemon = new LocalDaemon(folder);
    while (daemon.terminal.listeners === 0) await sleep(1, { clock: systemClock });
    return daemon;
  }

  get lines(): readonly DaemonLine[] {
    const lines = this.terminal.out.split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as DaemonLine);
  }

  /** Waits for the next line of this kind after the last one returned. */
  async next(kind: string): Promise<DaemonLine> {
    for (;;) {
      const at = this.lines.findIndex((line, index) => index >= this.#seen && line.kind === kind);
      if (at >= 0) {
        this.#seen = at + 1;
        return this.lines[at]!;
      }
      await sleep(5, { clock: systemClock });
    }
  }

  async reload(config: unknown): Promise<void> {
    this.folder.write("holdfast.yaml", config);
    this.terminal.signal("SIGHUP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.terminal.signal("SIGTERM");
    await this.ended;
    this.folder[Symbol.dispose]();
  }
}

function memory(id: string, ...members: readonly string[]) {
  return { id, kind: "memory", priority: 1, params: { members: members.map((name) => member(name)) } };
}

describe("the life cycle of a daemon", () => {
  test("a signal to stop is handled while the configuration is still loading", async () => {
    // This module never finishes loading.
    const files = { "hangs.mjs": "await new Promise(() => {});" };
    await using daemon = await LocalDaemon.start({ adapters: ["./hangs.mjs"] }, files);
    daemon.terminal.signal("SIGTERM");
    expect(await daemon.ended).toBe(0);
    expect(daemon.terminal.listeners).toBe(0);
  });

  test("an error outside of any call that no adapter caused drains the daemon and ends it with 1", async () => {
    await using daemon = await LocalDaemon.start({ providers: [memory("a", "n")] });
    await daemon.next("snapshot");
    daemon.terminal.fault(new Error("unknown state"));
    expect(await daemon.ended).toBe(1);
    expect(daemon.lines.at(-1)).toMatchObject({ kind: "stopped", unfinished: [] });
    expect(daemon.terminal.err).toContain("unknown state");
  });

  // R9.3, G6
  test("warns at its start of endpoints that other machines can reach", async () => {
    await using daemon = await LocalDaemon.start({ providers: [], http: { host: "0.0.0.0" } });
    expect(await daemon.next("warning")).toMatchObject({
      code: "CONNECTIVITY_INSECURE",
      details: { setting: "http.host", host: "0.0.0.0" },
    });
  });

  test("warns at its start of insecure settings of a provider, also if its backend is unreachable", async () => {
    await using daemon = await LocalDaemon.start(
      {
        providers: [
          memory("a", "n"),
          {
            id: "c",
            kind: "consul",
            priority: 2,
            // An address of RFC 5737, which is not assigned to any machine.
            params: { service: "web", addresses: ["http://192.0.2.1:8500"], token: { file: "token" } },
          },
        ],
        validation: { probe: "warn", probeTimeoutMs: 50 },
      },
      { token: "secret-of-a-test" },
    );
    let warning = await daemon.next("warning");
    while (warning["code"] !== "CONNECTIVITY_INSECURE") warning = await daemon.next("warning");
    expect(warning).toMatchObject({ providerId: "c", message: expect.stringContaining('"c"') });
    expect(daemon.terminal.out).not.toContain("secret-of-a-test");
  });

  test("does not warn of endpoints on loopback", async () => {
    await using daemon = await LocalDaemon.start({ providers: [memory("a", "n")] });
    await daemon.next("snapshot");
    expect(daemon.lines.filter(({ kind }) => kind === "warning")).toEqual([]);
  });

  // G12
  test("a SIGHUP that arrives during the start is handled after the start", async () => {
    await using daemon = await LocalDaemon.start({ providers: [memory("a", "n")] });
    daemon.terminal.signal("SIGHUP");
    expect(await daemon.next("reloaded")).toMatchObject({ providers: ["a"] });
  });

  // F9, R5.2
  test("a good configuration is accepted at once after three bad ones", async () => {
    await using daemon = await LocalDaemon.start({ providers: [memory("a", "n")] });
    await daemon.next("snapshot");
    for (let round = 0; round < 4; round++) {
      await daemon.reload({
        providers: [memory("a", "n"), { id: "b", kind: "memory", priority: 1, params: { members: 5 } }],
      });
      await daemon.next("reload_refused");
    }
    await daemon.reload({ providers: [memory("a", "n"), memory("b", "m")] });
    expect(await daemon.next("reloaded")).toMatchObject({ providers: ["a", "b"] });
  });

  // F8
  test("the data kept about providers that reloads removed is bounded", async () => {
    await using daemon = await LocalDaemon.start({
      providers: [memory("first", "n")],
      health: { cooldownMs: 1 },
    });
    await daemon.next("snapshot");
    const { url } = daemon.lines.find(({ kind }) => kind === "started")!;
    const sizeOf = async (path: string) => (await (await fetch(`${String(url)}${path}`)).text()).length;
    const reload = async (id: string) => {
      await daemon.reload({ providers: [memory(id, "n")], health: { cooldownMs: 1 } });
      await daemon.next("reloaded");
    };
    for (let round = 100; round < 110; round++) await reload(`p${round}`);
    const before = [await sizeOf("/topology"), (await sizeOf("/metrics")) / 1_000];
    for (let round = 110; round < 150; round++) await reload(`p${round}`);
    const after = [await sizeOf("/topology"), (await sizeOf("/metrics")) / 1_000];
    expect(after[0]! - before[0]!).toBeLessThan(100);
    expect(after[1]! - before[1]!).toBeLessThan(10);
  });

  // Each setting of the configuration must reach the component that it belongs to.
  test("settings of validation, the log and the stored files take effect", async () => {
    const missing = { id: "b", kind: "file", priority: 2, params: { path: "missing.json" } };
    await using daemon = await LocalDaemon.start({
      providers: [memory("a", "n"), missing],
      dataDir: "kept",
      lastKnownGood: false,
      validation: { probe: "warn" },
      health: { maxErrors: 1, backoffInitialMs: 60_000, backoffMaxMs: 60_000 },
      log: { retainedEvents: 1 },
    });
    expect(await daemon.next("warning")).toMatchObject({ code: "CONNECTIVITY_REFUSED", providerId: "b" });
    const { epoch } = await daemon.next("health_changed");
    // Only one event is retained, so not all lines of events from the same moment can be printed.
    await daemon.next("skipped");
    const { url } = daemon.lines.find(({ kind }) => kind === "started")!;
    // The log cannot be continued after an event that is no longer retained, so the state is sent instead.
    await using client = await TestEventSource.open(String(url), { lastEventId: `${String(epoch)}:1` });
    expect((await client.next())?.event).toBe("state");
    // Ignores the socket that marks the folder as in use.
    const names = await readdir(daemon.folder.at("kept"));
    expect(names.filter((name) => !name.startsWith(".")).toSorted()).toEqual([
      "generation.json",
      "providers.jsonl",
    ]);
  });
});
