import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, inject, test } from "vitest";
import { sleep, systemClock } from "@holdfast/core";
import { topologyFileSchema } from "@holdfast/provider-file";
import { eventually } from "@holdfast-apps/lab";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { AnnouncingProcess } from "./announcing-process.ts";

const PROGRAM = join(import.meta.dirname, "entry-churn-program.ts");
const ROUNDS = inject("isLong") ? 20 : 3;
const PROCESSES = 4;

const open: (AsyncDisposable | Disposable)[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed())
    await (Symbol.asyncDispose in each ? each[Symbol.asyncDispose]() : each[Symbol.dispose]());
});

async function start(folder: string, id: string, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, folder, id, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  open.push({
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  });
  await once(child.stdout, "data");
  return child;
}

/** Reads every file that readers see. Returns the number of files; throws when one is not a complete entry. */
function readEntries(folder: string): number {
  const names = readdirSync(folder).filter((name) => !name.startsWith("."));
  for (const name of names) {
    let text: string;
    try {
      text = readFileSync(join(folder, name), "utf8");
    } catch {
      continue; // It has left in the meantime.
    }
    const { lease, ...topology } = JSON.parse(text) as Record<string, unknown>;
    topologyFileSchema.parse(topology);
    expect(lease).toMatchObject({ ttlMs: expect.any(Number), owner: expect.any(String) });
  }
  return names.length;
}

// R8.4: kill -9 at random moments of registering, beating, draining and leaving.
test("a reader sees complete entries only, whenever their processes are killed", async () => {
  using folder = new TemporaryFolder();
  let seen = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // Two processes have the same id and different ports, so that they refuse and replace each other.
    const ids = ["a", "b", "c", "c"].slice(0, PROCESSES);
    const children = await Promise.all(ids.map((id, index) => start(folder.path, id, 7_000 + index)));
    for (const child of children) {
      const until = systemClock.monotonic() + 150;
      while (systemClock.monotonic() < until) {
        seen += readEntries(folder.path);
        await sleep(1, { clock: systemClock });
      }
      child.kill("SIGKILL");
    }
    readEntries(folder.path);
  }
  expect(seen).toBeGreaterThan(ROUNDS);
  // A process that lives removes what is left.
  const living = new AnnouncingProcess({
    kind: "file",
    params: { folder: folder.path, ttlMs: 500 },
    self: { id: "living", host: "127.0.0.1", port: 0 },
    options: { drainMs: 0 },
  });
  open.push(living);
  await eventually(() => expect(readdirSync(folder.path)).toEqual(["living.json"]));
});
