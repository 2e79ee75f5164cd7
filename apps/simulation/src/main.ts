// `pnpm simulate`: see README.md.
import { readFile } from "node:fs/promises";
import { parseCommandLine, USAGE, UsageError, type CommandLine } from "./command-line.ts";
import { MUTANTS, worldOf } from "./mutants/mutants.ts";
import { createAnyScript, parseAnyScript, type AnyScript } from "./run/any-script.ts";
import { describeFailure, describeReport, describeShrunk } from "./run/describe-report.ts";
import { runSeeds } from "./run/run-seeds.ts";
import { runScriptApart, shrinkApart } from "./run/run-task.ts";

/** Maximum number of failures that are printed one by one. */
const MAX_TOLD = 10;

async function main(): Promise<number> {
  const command = parseCommandLine(process.argv.slice(2));
  if (command.runsMutants) return runMutants(command);
  if (command.scriptFile !== undefined) return runOne(await readScript(command.scriptFile), command);
  if (command.count === 1) return runOne(createAnyScript(command.world, command.first), command);
  return runMany(command);
}

async function runMany(command: CommandLine): Promise<number> {
  const report = await runSeeds(command);
  const { failures } = report;
  for (const failure of failures.slice(0, MAX_TOLD)) console.log(describeFailure(failure));
  const [first] = failures;
  if (first?.violation !== undefined) {
    const shrunk = await shrinkApart(
      createAnyScript(command.world, first.seed),
      first.violation.invariant,
      command.mutant,
    );
    console.log(describeShrunk(shrunk));
  }
  console.log(describeReport(report));
  return failures.length === 0 ? 0 : 1;
}

async function runOne(script: AnyScript, { printsTrace, mutant, scriptFile }: CommandLine): Promise<number> {
  const outcome = await runScriptApart(script, mutant);
  if (printsTrace) console.log(outcome.lines.join("\n"));
  const { violation, digest, events } = outcome;
  if (violation === undefined) {
    console.log(`seed ${script.seed}: ${events} events, all invariants hold, trace ${digest}`);
    return 0;
  }
  console.log(describeFailure(outcome));
  if (scriptFile === undefined)
    console.log(describeShrunk(await shrinkApart(script, violation.invariant, mutant)));
  return 1;
}

async function runMutants({ world, first, count, workers }: CommandLine): Promise<number> {
  let missed = 0;
  const mutants = MUTANTS.filter((mutant) => worldOf(mutant) === world);
  for (const { name, bug } of mutants) {
    const { failures, seeds } = await runSeeds({
      world,
      first,
      count,
      workers,
      mutant: name,
      stopsAtFailure: true,
    });
    const [found] = failures;
    const verdict =
      found?.violation === undefined
        ? `NOT FOUND in ${seeds} seeds`
        : `seed ${String(found.seed).padEnd(5)} ${found.violation.invariant}`;
    if (found === undefined) missed++;
    console.log(`${name.padEnd(30)} ${verdict.padEnd(38)} ${bug}`);
  }
  console.log(`${mutants.length} mutants, ${missed} not found`);
  return missed === 0 ? 0 : 1;
}

async function readScript(file: string): Promise<AnyScript> {
  try {
    return parseAnyScript(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    throw new UsageError(
      `${file} is not a script: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
