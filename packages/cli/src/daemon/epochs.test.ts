import { readdir, readFile, writeFile } from "node:fs/promises";
import { sleep, systemClock, type Clock } from "@holdfast/core";
import { expect, test } from "vitest";
import { runCli } from "../cli.ts";
import { member } from "../../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { TestTerminal } from "../../test/test-terminal.ts";

const MINUTE_MS = 60_000;

function createFolder(): TemporaryFolder {
  const folder = new TemporaryFolder();
  const params = { members: [member("a")] };
  folder.write("holdfast.yaml", { providers: [{ id: "p", kind: "memory", priority: 1, params }] });
  return folder;
}

/** The system clock with a shifted wall clock. */
function shiftClock(byMs: number): Clock {
  return {
    now: () => systemClock.now() + byMs,
    monotonic: () => systemClock.monotonic(),
    schedule: (delayMs, task) => systemClock.schedule(delayMs, task),
    yield: () => systemClock.yield(),
  };
}

function run(folder: TemporaryFolder, clock: Clock): { terminal: TestTerminal; ended: Promise<number> } {
  const terminal = new TestTerminal({ cwd: folder.path, clock });
  return { terminal, ended: runCli(["run", "-c", "holdfast.yaml", "--port", "0", "--json"], terminal) };
}

async function soon(): Promise<false> {
  await sleep(5, { clock: systemClock });
  return false;
}

/** Runs a daemon until its first snapshot and returns the epoch of that snapshot. */
async function epochOf(folder: TemporaryFolder, clock: Clock): Promise<string> {
  const { terminal, ended } = run(folder, clock);
  const find = () =>
    terminal.out
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { readonly kind: string; readonly epoch: string })
      .find(({ kind }) => kind === "snapshot");
  while (find() === undefined) await sleep(5, { clock: systemClock });
  terminal.signal("SIGTERM");
  expect(await ended).toBe(0);
  return find()!.epoch;
}

// R4.1
test("the epoch of a run sorts after that of the previous run, although the wall clock was set back", async () => {
  using folder = createFolder();
  const first = await epochOf(folder, shiftClock(0));
  const second = await epochOf(folder, shiftClock(-MINUTE_MS));
  const third = await epochOf(folder, shiftClock(-60 * MINUTE_MS));
  expect([third, second, first].toSorted()).toEqual([first, second, third]);
  expect(await readdir(folder.at("holdfast-data"))).toContain("generation.json");
});

// R4.1 R1.5
test("a damaged generation file is refused at the start with its name, and is not changed", async () => {
  using folder = createFolder();
  await epochOf(folder, systemClock);
  const file = folder.at("holdfast-data/generation.json");
  await writeFile(file, "damaged");
  const { terminal, ended } = run(folder, systemClock);
  const over = ended.then(() => true);
  // If the daemon starts nevertheless, it is stopped and the test fails.
  while (!(await Promise.race([over, soon()]))) if (terminal.out.includes('"snapshot"')) break;
  terminal.signal("SIGTERM");
  expect(await ended).toBe(1);
  expect(terminal.out + terminal.err).toContain("STORE_CORRUPTED");
  expect(terminal.out + terminal.err).toContain(file);
  expect(await readFile(file, "utf8")).toBe("damaged");
});
