import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";
import { MUTANTS, worldOf } from "./mutants/mutants.ts";
import { describeFailure } from "./run/describe-report.ts";
import { createAnyScript, isTierScript, parseAnyScript } from "./run/any-script.ts";
import { runAnyScript } from "./run/run-any-script.ts";
import { runScript } from "./run/run-script.ts";
import { runSeeds } from "./run/run-seeds.ts";
import { runScriptApart, shrinkApart } from "./run/run-task.ts";
import { createScript } from "./script/create-script.ts";
import { KEPT_SCRIPTS } from "./script/kept-scripts.ts";
import { scriptSchema } from "./script/script-schema.ts";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const LONG_MS = 600_000;
/** The short form runs one of this many planted bugs. */
const SHORT_STEP = 40;
const SEEDS = inject("isLong") ? 1_000 : 60;
/** Planted bugs that need several hundred seeds or more to be found; only in the long form. */
const RARE = ["known-good-unchecked", "uncertainty-forgotten", "loop-content-relayed"];
const mutants = MUTANTS.filter(
  ({ name }, index) => inject("isLong") || (index % SHORT_STEP === 0 && !RARE.includes(name)),
);

/** Resolves with the exit code whatever it is. */
async function simulate(...args: readonly string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...args]);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

// R2.1 R2.2 R2.3 R2.4 R2.5 R2.6 R3.1 R3.2 R3.3 R3.4 R3.5 R4.1 R4.2 R4.3 R4.4 R5.3 R5.4 R5.5
test("every invariant holds in the first seeds", { timeout: LONG_MS }, async () => {
  const { failures, seeds, events } = await runSeeds({ first: 1, count: SEEDS });

  expect(failures.map(describeFailure)).toEqual([]);
  expect(seeds).toBe(SEEDS);
  expect(events).toBeGreaterThan(SEEDS * 20);
});

// R2.7 R5.3 R7.4 R7.5
test("every invariant of daemons and followers holds in the first seeds", { timeout: LONG_MS }, async () => {
  const { failures, seeds, events } = await runSeeds({ world: "tier", first: 1, count: SEEDS });

  expect(failures.map(describeFailure)).toEqual([]);
  expect(seeds).toBe(SEEDS);
  expect(events).toBeGreaterThan(SEEDS * 20);
});

// Scripts that violated an invariant once, shortened.
test.each(KEPT_SCRIPTS)("every invariant holds when $when", async ({ line }) => {
  const { violation } = await runAnyScript(parseAnyScript(JSON.parse(line)));

  expect(violation).toBeUndefined();
});

// The invariants are tested: each planted bug must violate one.
describe.concurrent("a planted bug is found", () => {
  test.each(mutants)("$name: $bug", { timeout: LONG_MS }, async (mutant) => {
    const options = { first: 1, count: 1_500, workers: 1, stopsAtFailure: true };
    const { failures } = await runSeeds({ ...options, world: worldOf(mutant), mutant: mutant.name });

    expect(failures[0]?.violation).toBeDefined();
  });
});

describe("a seed", () => {
  test("gives the same trace each time, also in another process", { timeout: LONG_MS }, async () => {
    const seeds = inject("isLong") ? [3, 17, 42] : [3];
    for (const seed of seeds) {
      const here = await runScript(createScript(seed), { keepTrace: true });
      const again = await runScript(createScript(seed), { keepTrace: true });
      const { output } = await simulate("--seed", String(seed), "--trace");

      expect(again.lines).toEqual(here.lines);
      expect(output).toContain(here.lines.join("\n"));
      expect(output).toContain(here.digest);
    }
  });

  test("gives a script that is plain data", () => {
    const script = createScript(5);

    expect(scriptSchema.parse(JSON.parse(JSON.stringify(script)))).toEqual(script);
  });

  test.each(["service", "tier"] as const)("of the %s gives the same trace each time", async (world) => {
    const script = createAnyScript(world, 11);

    expect(parseAnyScript(JSON.parse(JSON.stringify(script)))).toEqual(script);
    expect((await runAnyScript(script)).digest).toBe((await runAnyScript(script)).digest);
  });

  test("gives a different trace than the next seed", async () => {
    const one = await runScript(createScript(1));
    const other = await runScript(createScript(2));

    expect(one.digest).not.toBe(other.digest);
  });
});

test(
  "a failing script of daemons is shrunk to a short one with the same violation",
  { timeout: LONG_MS },
  async () => {
    const options = { world: "tier", first: 1, count: 100, workers: 1, stopsAtFailure: true } as const;
    const mutant = "stale-taken-for-current";
    const { failures } = await runSeeds({ ...options, mutant });
    const { seed, violation } = failures[0]!;
    const script = createAnyScript("tier", seed);
    const shrunk = await shrinkApart(script, violation!.invariant, mutant);

    expect(shrunk.steps.length).toBeLessThan(Math.min(10, script.steps.length));
    expect((await runScriptApart(shrunk, mutant)).violation?.invariant).toBe(violation!.invariant);
    expect((await runAnyScript(shrunk)).violation, "without the bug it breaks nothing").toBeUndefined();
  },
);

test("a failing script is shrunk to a short one with the same violation", { timeout: LONG_MS }, async () => {
  const mutant = "failback-at-once";
  const { failures } = await runSeeds({ first: 1, count: 100, mutant, workers: 1, stopsAtFailure: true });
  const { seed, violation } = failures[0]!;
  const script = createScript(seed);
  const shrunk = await shrinkApart(script, violation!.invariant, mutant);
  if (isTierScript(shrunk)) expect.unreachable();
  const outcome = await runScriptApart(shrunk, mutant);

  expect(shrunk.steps.length).toBeLessThan(Math.min(10, script.steps.length));
  expect(outcome.violation?.invariant).toBe(violation!.invariant);
  expect((await runScript(shrunk)).violation, "without the bug it breaks nothing").toBeUndefined();
});

describe("the command", () => {
  test("prints how much was run and the result", { timeout: LONG_MS }, async () => {
    const { code, output } = await simulate("--seeds", "5", "--first", "7");

    expect(code).toBe(0);
    expect(output).toMatch(/^5 seeds, [\d.]+ virtual hours, [\d,]+ events, .* 0 failed\n$/);
  });

  test("prints a failing seed, the violation and how to replay it", { timeout: LONG_MS }, async () => {
    const { code, output } = await simulate("--seeds", "20", "--mutant", "empty-unnoticed");

    expect(code).toBe(1);
    expect(output).toMatch(/seed \d+ violated status-truth \(R2\.4 R2\.7 R5\.3\) at step \d+/);
    expect(output).toContain("a short script with the same violation:");
  });

  test("reports invalid arguments", { timeout: LONG_MS }, async () => {
    const { code, output } = await simulate("--sedes", "5");

    expect(code).toBe(2);
    expect(output).toContain("--sedes");
    expect(output).toContain("Usage: pnpm simulate");
  });

  test("reports an invalid script", { timeout: LONG_MS }, async () => {
    const { code, output } = await simulate("--script", "no-such-file.json");

    expect(code).toBe(2);
    expect(output).toContain("no-such-file.json is not a script");
  });
});
