import { availableParallelism, loadavg } from "node:os";
import { leastOf, type Verdict } from "./judge.ts";
import { COUNTS, MEMORY, RESIDENT, type Measure } from "./measures.ts";
import { toQuarters } from "./quarters.ts";
import type { SoakResult } from "./soak-result.ts";
import { median, slopeOf } from "./statistics.ts";
import { toTable } from "./text-table.ts";

const HOUR_MS = 3_600_000;

/** The whole report as plain text. The last line says whether everything holds. */
export function toReport(result: SoakResult, verdicts: readonly Verdict[]): string {
  const failed = verdicts.filter(({ holds }) => !holds);
  const verdict =
    failed.length === 0 ? "everything holds" : `${failed.length} of ${verdicts.length} do not hold`;
  return [
    "Soak: the whole service on real servers, under churn and faults (made by `pnpm soak`)",
    section("Run", toTable(runRows(result))),
    section("Faults", toTable(countRows(result.faults))),
    section("What the service went through", toTable(storyRows(result))),
    section("What its process held, after a collection of garbage", toTable(holdingRows(result))),
    section("Its event loop, in milliseconds", toTable(loopRows(result))),
    section(
      "Judgement",
      toTable(verdicts.map(({ what, holds, seen }) => [holds ? "holds" : "FAILS", what, seen])),
    ),
    `Verdict: ${verdict}`,
  ]
    .join("\n\n")
    .concat("\n");
}

type Rows = readonly (readonly string[])[];

function section(title: string, table: string): string {
  return `${title}\n${"-".repeat(title.length)}\n${table}`;
}

function runRows({ plan, versions, changes, failedWrites, before, after }: SoakResult): Rows {
  const { durationMs, members, churn, seed, pace } = plan;
  const usedMs = (after[0]?.cpuMs ?? 0) - (before.at(-1)?.cpuMs ?? 0);
  return [
    ["node", `${process.version}, ${availableParallelism()} cores, ${process.platform} ${process.arch}`],
    ["load", `${loadavg()[1]!.toFixed(1)} over the last five minutes, all processes of the machine`],
    ["servers", `${versions.join(", ")}; the first is the primary, the second a warm stand-by`],
    ["duration", `${(durationMs / 60_000).toFixed(1)} minutes, and the time to settle before and after`],
    ["members", `${members}, of which ${churn * 100} % change each second (seed ${seed})`],
    [
      "changes",
      `${changes} written to each server; ${failedWrites} writes were repeated, as a server was gone`,
    ],
    ["health", JSON.stringify(pace.health)],
    ["processor", `${((usedMs / durationMs) * 100).toFixed(0)} % of one core, measuring included`],
  ];
}

function countRows(counts: Readonly<Record<string, number>>): Rows {
  return Object.entries(counts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => [name, String(Math.round(count))]);
}

function storyRows({ story, after }: SoakResult): Rows {
  const { events, switches, interruptions, statusMs, warnings, ports } = story;
  return [
    ["events", `${after.at(-1)?.seqNo}: ${list(events)}`],
    ["switches", list(switches)],
    ["interruptions", list(interruptions)],
    ["milliseconds in", list(statusMs)],
    ["warnings", list(warnings)],
    [
      "ports",
      `${ports.ticks} snapshots, ${ports.notices} notices, ${ports.remoteEvents} remote events, ${ports.isolated} members isolated, ${ports.restored} restored`,
    ],
    ["fewest members", String(ports.fewestMembers ?? "none")],
  ];
}

function list(counts: Readonly<Record<string, number>>): string {
  const parts = countRows(counts).map(([name, count]) => `${name} ${count}`);
  return parts.join(", ") || "none";
}

function holdingRows({ before, samples, after, plan }: SoakResult): Rows {
  const quarters = toQuarters(samples, plan.durationMs);
  const rows = [...MEMORY, RESIDENT, ...COUNTS].map(({ name, of }: Measure) => [
    name,
    format(leastOf(before, of)),
    ...quarters.map((quarter) => format(median(quarter.map(of)))),
    format(Math.max(0, ...samples.map(of))),
    format(leastOf(after, of)),
    format(slopeOf(samples.map((sample) => [sample.atMs / HOUR_MS, of(sample)]))),
  ]);
  const heads = [
    "",
    "at rest before",
    "median of quarter 1",
    "2",
    "3",
    "4",
    "most",
    "at rest after",
    "slope an hour",
  ];
  return [
    heads,
    ...rows,
    [
      "lines of metrics",
      String(before.at(-1)?.metricLines),
      "",
      "",
      "",
      "",
      "",
      String(after.at(-1)?.metricLines),
      "",
    ],
  ];
}

function loopRows({ samples, plan }: SoakResult): Rows {
  const heads = ["", "quarter 1", "2", "3", "4"];
  const row = (name: string, of: (quarter: SoakResult["samples"]) => number) => [
    name,
    ...toQuarters(samples, plan.durationMs).map((quarter) => of(quarter).toFixed(1)),
  ];
  return [
    heads,
    row("late (with all else on the machine): median of p50", (all) =>
      median(all.map(({ loop }) => loop.late.p50)),
    ),
    row("late: median of p99", (all) => median(all.map(({ loop }) => loop.late.p99))),
    row("late: max", (all) => Math.max(0, ...all.map(({ loop }) => loop.late.max))),
    row("own running time between two timers: median of p99", (all) =>
      median(all.map(({ loop }) => loop.own.p99)),
    ),
    row("own running time between two timers: max", (all) =>
      Math.max(0, ...all.map(({ loop }) => loop.own.max)),
    ),
  ];
}

function format(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
