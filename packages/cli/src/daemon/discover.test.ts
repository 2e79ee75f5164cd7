import { mkdir, readdir, rm, utimes } from "node:fs/promises";
import { TemporaryFolder, TestEventSource } from "@holdfast-apps/test-support";
import { systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { DaemonProcess, type DaemonLine } from "../../test/daemon-process.ts";

const urlOf = (name: string) => JSON.stringify(import.meta.resolve(name));

/** A kind that lists the services of a JSON file. Each of them has one member, with the name of the service. */
const LISTING = `
import { readFile } from "node:fs/promises";
import { sleep, createSnapshot, createClusterNode, MemberSet } from ${urlOf("@holdfast/core")};
import { defineAdapter } from ${urlOf("@holdfast/core/adapter")};
import * as z from ${urlOf("zod")};
const listing = defineAdapter({
  kind: "listing",
  params: z.strictObject({ file: z.string(), service: z.string() }),
  open: ({ descriptor: { id, params }, clock, heartbeatMs }) => ({
    async probe() {},
    async *watch({ signal }) {
      const members = MemberSet.from([createClusterNode({ id: params.service, host: "a.test", port: 1 })]);
      yield { type: "snapshot", snapshot: createSnapshot({ providerId: id, members, observedAt: clock.now() }) };
      for (;;) {
        await sleep(heartbeatMs, { clock, signal });
        yield { type: "heartbeat" };
      }
    },
  }),
  discovery: {
    params: z.strictObject({ file: z.string() }),
    open: ({ params, clock }) => ({
      async *services({ signal }) {
        for (let last = ""; ; ) {
          const text = await readFile(params.file, "utf8");
          if (text === last) yield { type: "heartbeat" };
          else yield { type: "services", services: JSON.parse(text).map((name) => ({ name })) };
          last = text;
          await sleep(50, { clock, signal });
        }
      },
    }),
  },
});
export const createAdapter = listing.createAdapter;
`;

function createFolder(rest: object = {}): TemporaryFolder {
  const folder = new TemporaryFolder();
  folder.write("listing.mjs", LISTING);
  folder.write("services.json", ["billing", "orders"]);
  folder.write("holdfast.yaml", {
    adapters: ["./listing.mjs"],
    backends: { list: { kind: "listing", file: folder.at("services.json") } },
    discover: [
      {
        from: [{ backend: "list" }],
        providers: [{ backend: "list", service: "{service}" }],
        removeAfterMs: 300,
      },
    ],
    health: { maxErrors: 1, backoffInitialMs: 50, backoffMaxMs: 100, cooldownMs: 400 },
    ...rest,
  });
  return folder;
}

const isReady = (topology: string) => (line: DaemonLine) =>
  line.kind === "status_changed" && line["topology"] === topology && line["to"] === "ready";

async function namesAt(url: string): Promise<readonly string[]> {
  const { topologies } = (await (await fetch(`${url}/topologies`)).json()) as {
    topologies: { name: string }[];
  };
  return topologies.map(({ name }) => name);
}

async function stop(daemon: DaemonProcess): Promise<void> {
  daemon.signal("SIGTERM");
  expect(await daemon.exit()).toEqual({ code: 0, err: "" });
}

// R7.2
describe("holdfast run with discovered topologies", () => {
  test("they appear and disappear without a restart, and an error removes none", async () => {
    using folder = createFolder();
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    for (const name of ["orders", "billing"]) await daemon.until(isReady(name));
    const url = await daemon.url();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await using client = await TestEventSource.open(url, { path: "/topologies/orders/events" });
    expect(await client.next()).toMatchObject({ event: "state", data: { members: [{ id: "orders" }] } });

    folder.write("services.json", ["billing", "orders", "search"]);
    await daemon.until(isReady("search"));
    await rm(folder.at("services.json"));
    expect(await daemon.until(({ kind }) => kind === "warning")).toMatchObject({
      message: expect.stringContaining("cannot be listed"),
    });
    expect(await namesAt(url)).toEqual(["billing", "orders", "search"]);

    folder.write("services.json", ["billing", "orders"]);
    await daemon.until(({ kind, topology }) => kind === "disappeared" && topology === "search");
    await daemon.until((line) => line["topology"] === "search" && line["to"] === "stopped");
    expect(await namesAt(url)).toEqual(["billing", "orders"]);
    await stop(daemon);
    expect((await client.rest()).map(({ event }) => event)).toEqual(["status_changed"]);
  });

  test("those of an earlier run start although the backend is down; without an earlier run the daemon is not ready", async () => {
    using folder = createFolder();
    await using first = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    for (const name of ["orders", "billing"]) await first.until(isReady(name));
    await stop(first);
    expect(await readdir(folder.at("holdfast-data/topologies/orders"))).toEqual(["last-known-good.jsonl"]);

    await rm(folder.at("services.json"));
    await using second = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    for (const name of ["orders", "billing"]) await second.until(isReady(name));
    expect((await fetch(`${await second.url()}/readyz`)).status).toBe(200);
    await stop(second);

    await rm(folder.at("holdfast-data"), { recursive: true });
    await using third = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await third.until(({ kind }) => kind === "warning");
    const readiness = await fetch(`${await third.url()}/readyz`);
    expect([readiness.status, await readiness.json()]).toMatchObject([
      503,
      { isComplete: false, notReady: [] },
    ]);
    await stop(third);
  });

  test("a reload changes them with the configured ones, all or nothing", async () => {
    using folder = createFolder();
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    for (const name of ["orders", "billing"]) await daemon.until(isReady(name));
    const write = (config: object) =>
      folder.write("holdfast.yaml", {
        adapters: ["./listing.mjs"],
        backends: { list: { kind: "listing", file: folder.at("services.json") } },
        ...config,
      });
    write({
      discover: [{ from: [{ backend: "list" }], providers: [{ backend: "list", service: "{name}" }] }],
    });
    daemon.signal("SIGHUP");
    expect(await daemon.until(({ kind }) => kind === "reload_refused")).toMatchObject({
      error: {
        problems: [{ path: "discover[0].providers[0].service", expected: "{service}", got: "{name}" }],
      },
    });
    expect(await namesAt(await daemon.url())).toEqual(["billing", "orders"]);
    write({ topologies: { orders: { providers: [{ backend: "list", service: "fixed" }] } } });
    daemon.signal("SIGHUP");
    expect(await daemon.until(({ kind }) => kind === "reloaded")).toMatchObject({
      topologies: { orders: ["list"] },
    });
    await daemon.until(({ kind, topology }) => kind === "disappeared" && topology === "billing");
    const document = (await (await fetch(`${await daemon.url()}/topologies/orders`)).json()) as object;
    expect(document).toMatchObject({ members: [{ id: "fixed" }] });
    await stop(daemon);
  });

  test("snapshots of topologies that are long gone are removed, stored providers are not", async () => {
    using folder = createFolder();
    const data = (name: string) => folder.at(`holdfast-data/topologies/${name}`);
    const old = new Date(systemClock.now() - 2 * 86_400_000);
    const writeSnapshot = async (name: string, time: Date) => {
      await mkdir(data(name), { recursive: true });
      const file = folder.write(`holdfast-data/topologies/${name}/last-known-good.jsonl`, "x");
      await utimes(file, time, time);
    };
    await writeSnapshot("gone", old);
    await writeSnapshot("recent", new Date(systemClock.now()));
    await writeSnapshot("managed", old);
    folder.write("holdfast-data/topologies/managed/providers.jsonl", "kept");
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(isReady("orders"));
    await expect
      .poll(() => readdir(folder.at("holdfast-data/topologies")), { timeout: 20_000 })
      .not.toContain("gone");
    expect(await readdir(data("recent"))).toEqual(["last-known-good.jsonl"]);
    expect(await readdir(data("managed"))).toEqual(["providers.jsonl"]);
    await stop(daemon);
  });

  // R6.2
  test("an error of a discovery outside of any call ends its watch only, which is tried again", async () => {
    using folder = createFolder();
    const failing = LISTING.replace(
      "for (let last",
      `if (!globalThis.hasFailed) setTimeout(() => { globalThis.hasFailed = true; throw new Error("late"); }, 200);
        for (let last`,
    );
    folder.write("listing.mjs", failing);
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    for (const name of ["orders", "billing"]) await daemon.until(isReady(name));
    expect(await daemon.until(({ kind }) => kind === "warning")).toMatchObject({
      message: expect.stringContaining(
        'the adapter "./listing.mjs" of a discovery failed outside of any call',
      ),
    });
    folder.write("services.json", ["billing", "orders", "search"]);
    await daemon.until(isReady("search"));
    expect(daemon.lines.filter(({ kind }) => kind === "stream_terminated")).toEqual([]);
    await stop(daemon);
  });
});
