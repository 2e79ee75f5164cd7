// Runs every check and test and prints one closing line `N passed, N failed` for all. `--ci` adds the long forms of the
// tests and the tests on real servers. A step that is not a test (format, lint, types, ...) counts as one failed test
// when it fails; the steps after it still run.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, ".tmp", "reports");
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
// The first takes longest.
const checks = ["build", "types", "lint", "unused", "format:check", "boundaries"];
const tests = process.argv.includes("--ci") ? ["tests", "long", "real"] : ["tests"];

// Tests start many processes, and Node spends most of their time on compiling the same modules.
process.env["NODE_COMPILE_CACHE"] ??= join(root, ".tmp", "compile-cache");

let passed = 0;
let failed = 0;

const startedAt = performance.now();
const queue = [...checks];
const lane = async () => {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) await check(step);
};
await Promise.all(Array.from({ length: availableParallelism() }, lane));
for (const step of tests) await test(step);

console.log(`\nall steps: ${secondsSince(startedAt)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs next to other checks, so its output is printed as a whole. */
async function check(step) {
  const from = performance.now();
  const { status, output } = await run(scripts[step], "pipe");
  if (status !== 0) failed += 1;
  console.log(`\n=== ${step}\n${output.trim()}\n=== ${step}: ${describe(status !== 0, from)}`);
}

async function test(step) {
  const from = performance.now();
  console.log(`\n=== ${step}`);
  const report = join(reports, `${step}.json`);
  const command = `${scripts[step]} --reporter=default --reporter=json --outputFile.json=${report}`;
  const { status } = await run(command, "inherit");
  const counts = readCounts(report);
  // A run that executed nothing proves nothing.
  const isBroken = status !== 0 || counts.passed + counts.failed === 0;
  passed += counts.passed;
  failed += isBroken ? Math.max(1, counts.failed) : counts.failed;
  console.log(`=== ${step}: ${describe(isBroken || counts.failed > 0, from)}`);
}

function run(command, output) {
  const { promise, resolve } = Promise.withResolvers();
  const child = spawn(command, { cwd: root, stdio: ["ignore", output, output], shell: true });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => (printed += text));
  child.on("close", (status) => resolve({ status, output: printed }));
  return promise;
}

function describe(hasFailed, from) {
  return `${hasFailed ? "FAILED" : "ok"} (${secondsSince(from)} s)`;
}

function secondsSince(from) {
  return ((performance.now() - from) / 1000).toFixed(1);
}

function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}
