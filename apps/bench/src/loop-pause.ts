import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemberSet, systemClock } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { file } from "@holdfast/provider-file";
import { createPayload } from "./payload.ts";
import { DirectProvider, Pipeline } from "./pipeline.ts";
import { median, type Figure } from "./measure.ts";

function runMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/**
 * Starts measuring. The returned function stops, and returns the longest turn of the event loop in milliseconds of
 * processor time of this thread. Load from other processes is not included.
 */
function watchLoop(): () => number {
  let longest = 0;
  let last = runMs();
  let isActive = true;
  const turn = () => {
    const now = runMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (isActive) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    isActive = false;
    return Math.max(longest, runMs() - last);
  };
}

/**
 * Measures pauses with a topology file of `members`, from the file provider to all three ports: the first load, a
 * reload with 1 % changed, and a failover.
 */
export async function benchLoopPause(members: number, runs: number): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
  const path = join(folder, "topology.json");
  const adapter = file.createAdapter();
  const load: number[] = [];
  const reload: number[] = [];
  const switching: number[] = [];
  try {
    for (let run = -1; run < runs; run++) {
      await writeFile(path, createPayload({ members }));
      const read = createNodeReader();
      const backup = new DirectProvider("backup", 0, MemberSet.empty);
      const params = adapter.params.parse({ path });
      const context = { clock: systemClock, random: Math.random, heartbeatMs: 5_000 };
      const primary = adapter.create({ id: "file", kind: "file", priority: 1, params }, context);
      {
        await using pipeline = new Pipeline([primary, backup]);
        globalThis.gc?.();
        let stop = watchLoop();
        pipeline.start();
        await pipeline.until((all) => all.remoteEvents === members);
        const loadMs = stop();

        const next = createPayload({ members, changed: members / 100 });
        await writeFile(`${path}.new`, next);
        globalThis.gc?.();
        const { seqNo } = pipeline.hub.state;
        stop = watchLoop();
        await rename(`${path}.new`, path);
        await pipeline.until((all) => all.isOwnershipAfter(seqNo) && all.isRemotingAfter(seqNo));
        const reloadMs = stop();

        // A standby with the same cluster in other objects, with ten members changed.
        const { members: entries } = JSON.parse(createPayload({ members, changed: 10, version: 9 })) as {
          members: unknown[];
        };
        backup.publish(MemberSet.from(entries.map((entry) => read(entry))));
        globalThis.gc?.();
        const before = pipeline.hub.state.seqNo;
        stop = watchLoop();
        await rm(path);
        await pipeline.until((all) => all.isOwnershipAfter(before) && all.isRemotingAfter(before));
        const switchMs = stop();
        if (run >= 0) {
          load.push(loadMs);
          reload.push(reloadMs);
          switching.push(switchMs);
        }
      }
      await primary[Symbol.asyncDispose]();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const figureOf = (name: string, values: readonly number[]): Figure => {
    const value = median(values);
    return { name, members, value, unit: "ms", goal: "< 20 ms", isMet: value < 20 };
  };
  return [
    figureOf("longest event-loop pause, topology file loaded", load),
    figureOf("longest event-loop pause, topology file reloaded, 1 % changed", reload),
    figureOf("longest event-loop pause, failover to a standby", switching),
  ];
}
