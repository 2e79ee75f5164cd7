import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { adapterModule } from "../../test/adapter-module.ts";
import { DaemonProcess, type DaemonLine } from "../../test/daemon-process.ts";
import { member } from "../../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

const isReady = ({ kind, to }: DaemonLine) => kind === "status_changed" && to === "ready";

function fileProvider(id: string, priority: number) {
  return { id, kind: "file", priority, params: { path: `${id}.json`, pollMs: 100, settleMs: 20 } };
}

function createFolder(primary: object): TemporaryFolder {
  const folder = new TemporaryFolder();
  folder.write("primary.json", { members: [member("a")] });
  folder.write("backup.json", { members: [member("b")] });
  folder.write("holdfast.yaml", {
    providers: [primary, fileProvider("backup", 50)],
    health: { maxErrors: 1, backoffInitialMs: 50, backoffMaxMs: 100, cooldownMs: 400 },
    adapters: ["./hanging.mjs"],
  });
  // Blocks one libuv thread for each call, as a network file system does whose server is down.
  const hang = `create: (descriptor, context) => {
    for (let i = 0; i < 4; i++) void open(${JSON.stringify(folder.at("pipe"))}, constants.O_RDONLY);
    return adapter.create({ ...descriptor, params: adapter.params.parse({ members: [] }) }, context);
  },`;
  const imports = `import { constants } from "node:fs"; import { open } from "node:fs/promises";`;
  folder.write("hanging.mjs", imports + adapterModule("hanging", hang));
  execFileSync("mkfifo", [folder.at("pipe")]);
  return folder;
}

describe.skipIf(process.platform === "win32")("a file that never opens", () => {
  // R2.5, R2.6
  test("makes its provider fail, another one takes over, and the process can end", async () => {
    using folder = createFolder(fileProvider("primary", 100));
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(isReady);
    await rm(folder.at("primary.json"));
    execFileSync("mkfifo", [folder.at("primary.json")]);
    await daemon.until((line) => line.kind === "provider_changed" && line["to"] === "backup");
    daemon.signal("SIGTERM");
    expect(await daemon.exit()).toEqual({ code: 0, err: "" });
  }, 60_000);

  // R3.5
  test("delays neither another provider nor the end of the process, whichever way it is opened", async () => {
    const hanging = { id: "primary", kind: "hanging", priority: 100, params: { region: "x" } };
    using folder = createFolder(hanging);
    await using daemon = DaemonProcess.run(folder.at("holdfast.yaml")).read();
    await daemon.until(
      (line) => line.kind === "health_changed" && line["providerId"] === "backup" && line["to"] === "healthy",
    );
    daemon.signal("SIGTERM");
    expect(await daemon.exit()).toEqual({ code: 0, err: "" });
    expect(daemon.lines.at(-1)).toMatchObject({ kind: "stopped", unfinished: [] });
  }, 60_000);
});
