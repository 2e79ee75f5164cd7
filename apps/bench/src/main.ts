// `pnpm bench [--json] [--quick] [--only followers]`. Needs the option --expose-gc of Node, which the script sets. Run it alone on the
// machine if you can.
import { parseArgs } from "node:util";
import { benchDaemonStart } from "./daemon-start.ts";
import { benchEndpointChange, benchPicks } from "./endpoint-picks.ts";
import { benchFullSnapshot } from "./full-snapshot.ts";
import { benchHeldMemory } from "./held-memory.ts";
import { benchManyFollowers } from "./followers/many-followers.ts";
import { benchImportTime } from "./import-time.ts";
import { benchLoopPause } from "./loop-pause.ts";
import { toLine, type Figure } from "./measure.ts";
import { benchOneChange } from "./one-change.ts";
import { benchWarmFailover } from "./warm-failover.ts";

const { values } = parseArgs({
  options: { json: { type: "boolean" }, quick: { type: "boolean" }, only: { type: "string" } },
});
const isQuick = values.quick === true;
const sizes = [1_000, 10_000, 100_000];
/** Smaller sizes get more runs, because a figure below one millisecond varies more. */
const runsFor = (members: number) => (isQuick ? 3 : Math.round(9 * (100_000 / members) ** 0.7));
const figures: Figure[] = [];
const report = (more: readonly Figure[]) => {
  figures.push(...more);
  if (values.json !== true) for (const figure of more) console.log(toLine(figure));
};

if (values.json !== true)
  console.log(
    `Node ${process.version}, ${process.platform} ${process.arch}, medians of ${runsFor(100_000)} to ${runsFor(1_000)} runs\n`,
  );
if (values.only === undefined) await benchEngine();
for await (const more of benchManyFollowers(isQuick)) report(more);

if (values.json === true) console.log(JSON.stringify({ node: process.version, figures }, null, 2));

async function benchEngine(): Promise<void> {
  report(await benchHeldMemory(100_000));
  for (const members of sizes) report(await benchFullSnapshot(members, runsFor(members)));
  const changes = [];
  for (const members of sizes) {
    const change = await benchOneChange(members, isQuick ? 100 : 1_000);
    changes.push(change.medianUs);
    report(change.figures);
  }
  const growth = changes.at(-1)! / changes[0]!;
  report([
    {
      name: "  ratio, 100,000 to 1,000 members",
      value: growth,
      unit: "ratio",
      goal: "<= 1.5",
      isMet: growth <= 1.5,
    },
  ]);
  for (const members of sizes) report(await benchWarmFailover(members, runsFor(members)));
  for (const members of [10, 1_000, 5_000]) report(benchPicks(members, isQuick ? 1 : 15));
  report(await benchEndpointChange(5_000, isQuick ? 20 : 200));
  report(await benchLoopPause(100_000, runsFor(100_000)));
  report(await benchDaemonStart(1_000, isQuick ? 1 : 7));
  report(await benchImportTime(isQuick ? 1 : 15));
}
