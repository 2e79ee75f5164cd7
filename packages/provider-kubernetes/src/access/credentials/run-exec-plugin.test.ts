import { existsSync, readFileSync } from "node:fs";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { CountingClock, allTextOf, findSecret, outcomeOf, VirtualClock } from "@holdfast/testing";
import type { Clock } from "@holdfast/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExecCredential } from "./exec-credential.ts";
import { runExecPlugin } from "./run-exec-plugin.ts";
import { time } from "../../../test/watched.ts";

const V1 = "client.authentication.k8s.io/v1";
const SECRET = "hunter2";
const cluster = {
  label: "the cluster",
  server: "https://10.0.0.1:6443",
  isInsecure: false,
  serverName: "kubernetes",
  proxyUrl: "http://proxy.example:3128",
  disableCompression: true,
  execConfig: { audience: ["a"] },
};
const ca = Buffer.from("CA");

let folder: TemporaryFolder;
beforeAll(() => {
  folder = new TemporaryFolder();
});
afterAll(() => folder[Symbol.dispose]());

/** Returns a plugin that runs this script. */
function script(code: string, more: object = {}, ...args: readonly string[]): object {
  return { apiVersion: V1, command: process.execPath, args: ["-e", code, ...args], ...more };
}

function printing(value: unknown, more: object = {}): object {
  return script(`process.stdout.write(${JSON.stringify(JSON.stringify(value))})`, more);
}

const credential = (status: object, more: object = {}): object => ({
  kind: "ExecCredential",
  apiVersion: V1,
  status,
  ...more,
});

interface RunOptions {
  readonly label?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

async function run(exec: unknown, options: RunOptions = {}): Promise<ExecCredential> {
  const {
    label,
    timeoutMs = 10_000,
    signal = new AbortController().signal,
    clock = new CountingClock(),
  } = options;
  return runExecPlugin(exec, { label, cluster, ca, clock, timeoutMs, signal });
}

describe("a credential plugin", () => {
  test.each([
    [{ token: "t" }, { token: "t" }],
    [
      { token: "t", expirationTimestamp: "2030-01-01T00:00:00Z" },
      { token: "t", expiresAt: Date.UTC(2030, 0, 1) },
    ],
    [
      { clientCertificateData: "C", clientKeyData: "K", token: "" },
      { cert: "C", key: "K" },
    ],
  ])("that prints %j provides %j", async (status, expected) => {
    expect(await run(printing(credential(status)))).toEqual(expected);
  });

  test("receives its arguments, its environment variables and those of the protocol", async () => {
    const code = `
      const { kind, apiVersion, spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      const token = [process.env.MINE, kind, spec.interactive, spec.cluster, process.argv[1]].join();
      console.log(JSON.stringify({ kind, apiVersion, status: { token } }));`;
    const exec = script(code, { env: [{ name: "MINE", value: "yes" }] }, "argument");
    expect(await run(exec)).toMatchObject({ token: "yes,ExecCredential,false,,argument" });
  });

  // A2
  test.each([
    [
      { apiVersion: "client.authentication.k8s.io/v1alpha1" },
      `exec.apiVersion: expected ${V1} or ${V1}beta1`,
    ],
    [{ args: [SECRET, 7] }, "exec.args.1 does not have the expected form"],
    [{ env: [{ value: SECRET }] }, "exec.env.0.name does not have the expected form"],
    [{ command: undefined }, "exec.command does not have the expected form"],
  ])("with %j in its exec section leads to an error with the user and the field", async (more, why) => {
    const outcome = await outcomeOf(() => run(script("", more), { label: "the user" }));
    const message: unknown = expect.stringContaining(`the user cannot be used: ${why}`);
    expect(outcome).toMatchObject({ error: { code: "CONNECTIVITY_SECRET_UNAVAILABLE", message } });
    expect(findSecret(allTextOf(outcome), SECRET)).toEqual([]);
  });

  test("may have a variable without a value, which becomes empty", async () => {
    const code = `
      const status = { token: JSON.stringify(process.env.EMPTY) };
      console.log(JSON.stringify({ kind: "ExecCredential", apiVersion: "${V1}", status }));`;
    expect(await run(script(code, { env: [{ name: "EMPTY" }] }))).toMatchObject({ token: '""' });
  });

  test("receives the cluster if it is configured so", async () => {
    const code = `
      const { apiVersion, spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      const status = { token: JSON.stringify(spec.cluster) };
      console.log(JSON.stringify({ kind: "ExecCredential", apiVersion, status }));`;
    const { token } = await run(script(code, { provideClusterInfo: true }));
    expect(JSON.parse(token ?? "")).toEqual({
      server: cluster.server,
      "tls-server-name": "kubernetes",
      "certificate-authority-data": "Q0E=",
      "proxy-url": "http://proxy.example:3128",
      "disable-compression": true,
      config: { audience: ["a"] },
    });
  });

  test("that reads its input does not block", async () => {
    const text = JSON.stringify(credential({ token: "t" }));
    const code = `process.stdin.resume().on("end", () => console.log(${JSON.stringify(text)}))`;
    expect(await run(script(code))).toEqual({ token: "t" });
  });

  test.each<[string, object]>([
    ["does not print JSON", script(`console.log("${SECRET}")`)],
    ["prints nothing", script("")],
    ["prints a Status", printing({ kind: "Status", apiVersion: V1, status: { token: SECRET } })],
    [
      "uses another version",
      printing(credential({ token: SECRET }, { apiVersion: "client.authentication.k8s.io/v1beta1" })),
    ],
    ["prints no credential", printing(credential({}))],
    [
      "prints a certificate without a key",
      printing(credential({ token: SECRET, clientCertificateData: "C" })),
    ],
    ["prints a token that is a number", printing(credential({ token: 7 }))],
    [
      "prints an invalid expiration time",
      printing(credential({ token: SECRET, expirationTimestamp: "tomorrow" })),
    ],
    ["fails", script(`console.error("${SECRET}"); process.exit(3)`)],
    ["prints without end", script(`for (;;) require("fs").writeSync(1, "${SECRET}".repeat(9999))`)],
    ["does not exist", { apiVersion: V1, command: "/nowhere/at-all" }],
    ["needs a terminal", printing(credential({ token: SECRET }), { interactiveMode: "Always" })],
    ["has no command", { apiVersion: V1 }],
    ["has an unknown version", printing(credential({ token: "t" }), { apiVersion: "v2" })],
    ["has arguments that are not strings", { apiVersion: V1, command: "x", args: [{}] }],
  ])("that %s leads to CONNECTIVITY_SECRET_UNAVAILABLE without its output", async (_, exec) => {
    // R1.6
    const error: unknown = await run(exec).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONNECTIVITY_SECRET_UNAVAILABLE" });
    expect(error).not.toHaveProperty("cause");
    expect(String(error)).not.toContain(SECRET);
  });

  // R1.6
  test.each([
    ["its environment", { env: [{ name: "TOKEN", value: `${SECRET}\0` }] }],
    ["a name of its environment", { env: [{ name: `${SECRET}\0`, value: "" }] }],
    ["its arguments", { args: [`${SECRET}\0`] }],
    ["its command", { command: `/${SECRET}\0` }],
    ["arguments that are too long", { args: [SECRET.repeat(1_000_000)] }],
  ])("that cannot be started because of %s leads to an error without the value", async (_, more) => {
    const outcome = await outcomeOf(() => run(script("", more)));
    expect(outcome).toMatchObject({ error: { code: "CONNECTIVITY_SECRET_UNAVAILABLE" } });
    expect(findSecret(allTextOf(outcome), SECRET)).toEqual([]);
  });

  test("that takes too long is killed with its children, and leads to CONNECTIVITY_TIMEOUT", async () => {
    const clock = new VirtualClock();
    const sleeping = sleeper("slow");
    const running = run(sleeping.exec, { timeoutMs: 1_500, clock });
    running.catch(() => undefined);
    await sleeping.started();
    await clock.advance(1_500);
    await expect(running).rejects.toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    expect(clock.pendingTimers).toBe(0);
    while (sleeping.isAlive()) await time.advance(5);
  });

  test("that leaves a child with its output open does not block", async () => {
    const code = `
      require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 3000)"], { stdio: "inherit" });
      setInterval(() => {}, 1e6);`;
    await expect(time.until(run(script(code), { timeoutMs: 500 }), 2_000)).rejects.toMatchObject({
      code: "CONNECTIVITY_TIMEOUT",
      message: expect.stringContaining("credential plugin"),
    });
  });

  test("is killed with its children when the wait is aborted", async () => {
    const controller = new AbortController();
    const clock = new CountingClock();
    const sleeping = sleeper("aborted");
    const running = run(sleeping.exec, { signal: controller.signal, clock });
    await sleeping.started();
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect(clock.pendingTimers).toBe(0);
    while (sleeping.isAlive()) await time.advance(5);
  });
});

/**
 * Returns a plugin that starts a child. Both ignore all signals that can be ignored and never end. The plugin writes
 * the ids of both to a file.
 */
function sleeper(name: string): Sleeper {
  const file = folder.at(name);
  const code = `
    process.on("SIGTERM", () => {});
    setInterval(() => {}, 1e6);
    const ignore = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log()";
    const { spawn } = require("child_process");
    const child = spawn(process.execPath, ["-e", ignore], { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.once("data", () => {
      require("fs").writeFileSync(process.argv[1] + ".new", process.pid + " " + child.pid);
      require("fs").renameSync(process.argv[1] + ".new", process.argv[1]);
    });`;
  return {
    exec: script(code, {}, file),
    async started() {
      while (!existsSync(file)) await time.advance(5);
    },
    isAlive() {
      return readFileSync(file, "utf8")
        .split(" ")
        .some((pid) => isRunning(Number(pid)));
    },
  };
}

/**
 * Returns true while the process runs. A process that has ended may still exist until its parent has collected its
 * status.
 */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync("/proc/self/stat") || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

interface Sleeper {
  readonly exec: object;
  started(): Promise<void>;
  isAlive(): boolean;
}
