import { readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { registrarConformance, type RegistrarSetup } from "@holdfast/conformance";
import type { ClusterNodeInput } from "@holdfast/core";
import { folder } from "@holdfast/provider-file";
import { RealIoTime, TemporaryFolder } from "@holdfast-apps/test-support";
import { VirtualClock } from "@holdfast/testing";
import { describe, test } from "vitest";
import { HangingPath } from "../test/hanging-path.ts";
import { fileRegistrar } from "./file-registrar.ts";

// R8.4
registrarConformance({ describe, test, harness: { setup } });

function setup(): RegistrarSetup {
  const temporary = new TemporaryFolder();
  const path = temporary.at("members");
  const clock = new VirtualClock();
  let hanging: readonly HangingPath[] = [];
  let isBroken = false;
  return {
    registrar: fileRegistrar({ folder: path, ttlMs: 1_000 }),
    clock,
    time: new RealIoTime(clock),
    list: () => readMembers(path, clock),
    loseData() {
      for (const name of readdirSync(path)) rmSync(temporary.at(`members/${name}`));
    },
    breakBackend() {
      isBroken = true;
      rmSync(temporary.at("aside"), { recursive: true, force: true });
      try {
        renameSync(path, temporary.at("aside"));
      } catch {
        // No process has created the folder yet.
      }
      writeFileSync(path, "not a folder");
    },
    hangBackend() {
      // All paths share a number of slots, whatever their names are.
      hanging = ["a", "b"].map((name) => new HangingPath(temporary.at(name)));
    },
    async repairBackend() {
      for (const each of hanging) await each[Symbol.asyncDispose]();
      if (!isBroken) return;
      rmSync(path);
      try {
        renameSync(temporary.at("aside"), path);
      } catch {
        // There was none.
      }
    },
    countOpen: () => countOpenFiles(temporary.path) + clock.pendingTimers,
    async teardown() {
      for (const each of hanging) await each[Symbol.asyncDispose]();
      temporary[Symbol.dispose]();
    },
  };
}

/** Reads the folder once, as the provider of another process. */
async function readMembers(path: string, clock: VirtualClock): Promise<readonly ClusterNodeInput[]> {
  const adapter = folder.createAdapter();
  const params = adapter.params.parse({ path, settleMs: 0 });
  const context = { clock, random: () => 0, heartbeatMs: 3_000 };
  const provider = adapter.create({ id: "reader", kind: "folder", priority: 1, params }, context);
  const stop = new AbortController();
  try {
    for await (const event of provider.watch({ signal: stop.signal }))
      if (event.type === "snapshot") return event.snapshot.members.toArray();
  } catch {
    // The folder does not exist yet.
  } finally {
    stop.abort();
    await provider[Symbol.asyncDispose]();
  }
  return [];
}

function countOpenFiles(below: string): number {
  const descriptors = "/proc/self/fd"; // Linux only; elsewhere files are not counted
  try {
    return readdirSync(descriptors).filter((name) => {
      try {
        return readlinkSync(`${descriptors}/${name}`).startsWith(below);
      } catch {
        return false;
      }
    }).length;
  } catch {
    return 0;
  }
}
