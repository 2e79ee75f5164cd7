import { systemClock } from "@holdfast/core";
import { expect, inject, test } from "vitest";
import { emptyFolder } from "@holdfast-apps/lab/packed-packages";
import { CrashFolder } from "./crash-folder.ts";
import { DaemonKills } from "./daemon-kills.ts";

const kills = Number(process.env["HOLDFAST_KILLS"] ?? (inject("isLong") ? 24 : 4));
const seed = Number(process.env["HOLDFAST_SEED"] ?? 1);

// R1.5, R4.1, R5.4
test(
  "a daemon that is killed repeatedly under load starts again with a consistent state",
  async () => {
    await using temporary = await emptyFolder();
    const folder = await CrashFolder.create(temporary.path);
    const run = new DaemonKills(folder, seed);
    const startedAt = systemClock.monotonic();
    try {
      await run.run(kills);
    } catch (error) {
      throw new Error(`HOLDFAST_SEED=${seed}, after ${run.figures.kills} kills`, { cause: error });
    }
    const { figures } = run;
    expect(figures.kills).toBeGreaterThanOrEqual(kills);
    const ready = figures.readyMs.toSorted((a, b) => a - b);
    console.log(
      `seed ${seed}: ${figures.kills} kills (${figures.early} during the start, ${figures.interruptedSaves} in a save), ` +
        `${figures.snapshots} saved snapshots, ${figures.restarts} restarts, ${figures.events} events; ready after ` +
        `${Math.round(ready[ready.length >> 1] ?? 0)} ms (median), ${Math.round(ready.at(-1) ?? 0)} ms (longest); ` +
        `${Math.round((systemClock.monotonic() - startedAt) / 1_000)} s`,
    );
  },
  60_000 + kills * 15_000,
);
