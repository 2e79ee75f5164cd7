import { connect } from "node:net";
import { open, readFile, truncate, type FileHandle } from "node:fs/promises";
import { sleep, systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { DaemonProcess, MAIN } from "../../test/daemon-process.ts";
import { member } from "../../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

const provider = {
  id: "primary",
  kind: "file",
  priority: 1,
  params: { path: "topology.json", pollMs: 50, settleMs: 5 },
};

function createFolder(): TemporaryFolder {
  const folder = new TemporaryFolder();
  folder.write("topology.json", { members: [member("a")] });
  folder.write("holdfast.yaml", { providers: [provider], lastKnownGood: false });
  return folder;
}

/** Waits until `look` returns something other than undefined. The timeout of the test is the limit. */
async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(20, { clock: systemClock });
  }
}

function noteOf(daemon: DaemonProcess, kind: string): Record<string, unknown> | undefined {
  if (daemon.hasEnded) throw new Error(`the daemon ended: ${daemon.err}`);
  const lines = daemon.err.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find((note) => note["kind"] === kind);
}

async function memberIdsAt(url: string): Promise<readonly string[]> {
  const { members } = (await (await fetch(`${url}/topology`)).json()) as { members: { id: string }[] };
  return members.map(({ id }) => id);
}

/** Changes the topology repeatedly until `look` finds something. */
async function untilWithChanges<T>(folder: TemporaryFolder, look: () => T | undefined): Promise<T> {
  let round = 0;
  return until(async () => {
    folder.write("topology.json", { members: [member("a"), member(`n${round++}`)] });
    return look();
  });
}

function badProvider(fault: string, priority: number) {
  return { id: fault, kind: "bad", priority, params: { fault } };
}

describe.skipIf(process.platform === "win32")("the daemon and its environment", () => {
  // E2
  test("continues while its output cannot be written, and reports what was dropped", async () => {
    using folder = createFolder();
    const file = folder.at("out.jsonl");
    await using output: FileHandle = await open(file, "a");
    // Simulates a full disk: files are limited to 4 KiB, and writing more fails with EFBIG.
    const limited = ["-c", 'ulimit -f 8; exec "$0" "$@"', process.execPath];
    const command = [...limited, MAIN, "run", "-c", folder.at("holdfast.yaml"), "--port", "0"];
    await using daemon = new DaemonProcess(command, { program: "/bin/sh", stdout: output.fd });
    const url = await until(async () => /"url":"([^"]+)"/.exec(await readFile(file, "utf8"))?.[1]);
    await untilWithChanges(folder, () => noteOf(daemon, "output_failed"));
    expect(noteOf(daemon, "output_failed")).toMatchObject({ code: "EFBIG" });
    // R7.6: watching and the endpoints continue.
    folder.write("topology.json", { members: [member("z")] });
    await until(async () => ((await memberIdsAt(url)).join() === "z" ? true : undefined));
    expect(noteOf(daemon, "output_recovered")).toBeUndefined();

    await truncate(file);
    const { dropped } = await untilWithChanges(folder, () => noteOf(daemon, "output_recovered"));
    expect(dropped).toBeGreaterThan(0);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain(`holdfast_output_lines_dropped_total ${String(dropped)}\n`);
    await until(async () =>
      (await readFile(file, "utf8")).includes(`"count":${String(dropped)}`) ? true : undefined,
    );
    daemon.signal("SIGTERM");
    expect(await daemon.exit()).toMatchObject({ code: 0 });
  });

  test("early signals neither end it nor open a debugger, and a reader that closes the pipe does not end it", async () => {
    using folder = createFolder();
    // Sends signals before any module of the command is loaded, and at its first listener.
    const early = `
      process.kill(process.pid, "SIGUSR1");
      await new Promise((resolve) => setTimeout(resolve, 200));
      process.on("newListener", (name) => name === "SIGHUP" && setImmediate(() => process.kill(process.pid, name)));`;
    const preload = ["--inspect-port=0", "--import", `data:text/javascript,${encodeURIComponent(early)}`];
    const command = [...preload, MAIN, "run", "-c", folder.at("holdfast.yaml"), "--port", "0"];
    await using daemon = new DaemonProcess(command).read();
    // G12
    await daemon.until(({ kind, to }) => kind === "status_changed" && to === "ready");
    const url = await daemon.url();
    // G4: Node opened the debugger before the command's code ran, and the command closed it.
    const port = Number(/Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(daemon.err)?.[1]);
    expect(await codeOfConnect(port)).toBe("ECONNREFUSED");
    daemon.signal("SIGUSR1");
    // Signals are handled in order, so the first ones have been handled by now.
    daemon.signal("SIGHUP");
    await daemon.until(({ kind }) => kind === "reloaded", daemon.lines.length);
    expect(daemon.err.match(/Debugger listening/g)).toHaveLength(1);

    // E2
    daemon.stdout.destroy();
    await untilWithChanges(folder, () => noteOf(daemon, "output_failed"));
    expect(noteOf(daemon, "output_failed")).toMatchObject({ code: "EPIPE" });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    daemon.signal("SIGTERM");
    const { code, err } = await daemon.exit();
    expect([code, err]).toEqual([0, expect.stringContaining('"kind":"output_dropped"')]);
  });

  // G11
  test("reports an adapter that fails outside of any call, uses the next provider, and ends although a timer is left", async () => {
    using folder = createFolder();
    const core = JSON.stringify(import.meta.resolve("@holdfast/core"));
    folder.write(
      "bad.mjs",
      `
import { createSnapshot, createClusterNode, MemberSet } from ${core};
import * as z from ${JSON.stringify(import.meta.resolve("zod"))};
setInterval(() => {}, 1_000);
export const createAdapter = () => ({
  kind: "bad",
  params: z.strictObject({ fault: z.enum(["throws", "rejects", "floods"]) }),
  create: (descriptor, { clock }) => ({
    descriptor,
    capabilities: { watch: true },
    async probe() {},
    async *watch({ signal }) {
      const members = MemberSet.from([createClusterNode({ id: descriptor.id, host: "bad.test", port: 1 })]);
      yield { type: "snapshot", snapshot: createSnapshot({ providerId: descriptor.id, members, observedAt: clock.now() }) };
      while (descriptor.params.fault === "floods") yield { type: "heartbeat" };
      setTimeout(() => {
        if (descriptor.params.fault === "throws") throw new Error("a timer threw");
        void Promise.reject(new Error("a promise rejected"));
      }, 50);
      await new Promise(() => {});
    },
    async [Symbol.asyncDispose]() {},
  }),
});`,
    );
    folder.write("holdfast.yaml", {
      adapters: ["./bad.mjs"],
      providers: [badProvider("floods", 4), badProvider("throws", 3), badProvider("rejects", 2), provider],
      health: { maxErrors: 1, backoffInitialMs: 10_000, cooldownMs: 60_000 },
    });
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    for (const [providerId, thrown] of [
      ["throws", "Error: a timer threw"],
      ["rejects", "Error: a promise rejected"],
    ]) {
      const warning = await daemon.until(
        ({ kind, code, ...line }) =>
          kind === "warning" && code === "STREAM_FAILED" && line["providerId"] === providerId,
      );
      expect(warning).toMatchObject({ code: "STREAM_FAILED", details: { adapter: "./bad.mjs" } });
      expect(warning["message"]).toContain(
        `"./bad.mjs" of provider "${providerId}" failed outside of any call`,
      );
      expect(warning["message"]).toContain(thrown);
      // R1.6: clients of the endpoints read the events, and what the code of others throws may hold a secret.
      const change = await daemon.until(
        (line) => line.kind === "health_changed" && line["providerId"] === providerId && "reason" in line,
      );
      expect(change["reason"].message).toBe('the code of the adapter "./bad.mjs" failed outside of any call');
    }
    const flood = await daemon.until(
      (line) =>
        line.kind === "health_changed" && line["to"] === "unreachable" && line["providerId"] === "floods",
    );
    expect(flood["reason"].message).toContain('"./bad.mjs" sent more than');
    await daemon.until(({ kind, to }) => kind === "provider_changed" && to === "primary");
    daemon.signal("SIGTERM");
    expect(await daemon.exit()).toEqual({ code: 0, err: "" });
  });
});

async function codeOfConnect(port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect(port, "127.0.0.1");
  socket.on("connect", () => resolve(undefined));
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  const code = await promise;
  socket.destroy();
  return code;
}
