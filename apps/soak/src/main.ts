// `pnpm soak [--minutes 30] [--members 10000] [--churn 0.01] [--seed N] [--report FILE]` runs the soak test on real
// servers. HOLDFAST_BACKENDS names the folder with their programs.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { arePrograms } from "@holdfast-apps/lab";
import { judgeEnd, judgeTrend } from "./judge.ts";
import { toReport } from "./report.ts";
import { runSoak } from "./soak.ts";
import { SOAK_PACE } from "./soak-pace.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    members: { type: "string", default: "10000" },
    churn: { type: "string", default: "0.01" },
    seed: { type: "string", default: "1" },
    report: { type: "string" },
  },
});

if (!arePrograms("consul", "etcd", "kube-api")) {
  console.error("HOLDFAST_BACKENDS must name a folder that contains consul, etcd and kube-api.");
  process.exit(2);
}
const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => interrupted.abort(new Error(`stopped by ${name}`)));

try {
  const result = await runSoak({
    durationMs: numberOf("minutes") * 60_000,
    members: numberOf("members"),
    churn: numberOf("churn"),
    seed: numberOf("seed"),
    pace: SOAK_PACE,
    onProgress: (line) => console.error(line),
    signal: interrupted.signal,
  });
  const verdicts = [...judgeEnd(result), ...judgeTrend(result)];
  const report = toReport(result, verdicts);
  console.log(report);
  if (values.report !== undefined) await writeFile(values.report, report);
  process.exitCode = verdicts.every(({ holds }) => holds) ? 0 : 1;
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  console.error(String(interrupted.signal.reason));
  process.exitCode = 130;
}

function numberOf(name: "minutes" | "members" | "churn" | "seed"): number {
  const number = Number(values[name]);
  if (!(Number.isFinite(number) && number > 0)) {
    console.error(`--${name} must be a number greater than 0`);
    process.exit(2);
  }
  return number;
}
