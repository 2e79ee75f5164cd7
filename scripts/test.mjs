// Runs all that CI runs, in order, and prints one closing line `N passed, N failed` for all tests. A step that is not
// a test (format, lint, types, ...) counts as one failed test when it fails, and the steps after it still run.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, ".tmp", "reports");
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
// `pnpm check` is a chain of `pnpm STEP`; running them one by one gives each its line and its count.
const steps = [...scripts.check.split("&&").map((step) => step.trim().replace(/^pnpm /, "")), "integration"];
// Where there are real servers, the suite that needs them runs too.
if (["HOLDFAST_BACKENDS", "CONSUL_HTTP_ADDR", "KUBECONFIG"].some((name) => process.env[name]))
  steps.push("real");

let passed = 0;
let failed = 0;

for (const step of steps) {
  const startedAt = performance.now();
  console.log(`\n=== ${step}`);
  const isTests = scripts[step].startsWith("vitest");
  const report = join(reports, `${step}.json`);
  const command = isTests
    ? `${scripts[step]} --reporter=default --reporter=json --outputFile.json=${report}`
    : scripts[step];
  const { status } = spawnSync(command, { cwd: root, stdio: "inherit", shell: true });
  let failures = status === 0 ? 0 : 1;
  if (isTests) {
    const counts = readCounts(report);
    passed += counts.passed;
    failures = Math.max(failures, counts.failed);
    // A run that executed nothing proves nothing.
    if (counts.passed + counts.failed === 0) failures = 1;
  }
  failed += failures;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`=== ${step}: ${failures === 0 ? "ok" : "FAILED"} (${seconds} s)`);
}

console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}
