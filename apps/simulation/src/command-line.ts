import { parseArgs } from "node:util";
import type { WorldKind } from "./run/any-script.ts";
import { MUTANTS } from "./mutants/mutants.ts";

/** The parsed arguments. */
export interface CommandLine {
  readonly world: WorldKind;
  readonly first: number;
  readonly count: number;
  readonly workers: number | undefined;
  readonly mutant: string | undefined;
  /** Run every mutant in turn. */
  readonly runsMutants: boolean;
  /** Print every line of the one run. */
  readonly printsTrace: boolean;
  /** Run a script from a file instead of seeds. */
  readonly scriptFile: string | undefined;
}

/** An error in the arguments, with a message for people. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `Usage: pnpm simulate [--tier] [--seeds N] [--first S] [--workers N]
       pnpm simulate [--tier] --seed S [--trace]
       pnpm simulate --script FILE [--trace]
       pnpm simulate [--tier] --mutants [--seeds N] [--first S]
--tier simulates daemons and their followers, instead of one service.
With --mutant NAME the first three run with that bug planted.`;

const DEFAULT_SEEDS = 1_000;

/** Throws `UsageError`. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const values = parse(args);
  const { seed, seeds, script, mutant, mutants = false, trace = false, tier = false } = values;
  const modes = [seed, script, seeds ?? values.first].filter((value) => value !== undefined);
  if (modes.length > 1) throw new UsageError("--seed, --script and --seeds exclude each other");
  if (mutants && (seed ?? script ?? mutant) !== undefined)
    throw new UsageError("--mutants goes with --seeds and --first only");
  if (trace && seed === undefined && script === undefined)
    throw new UsageError("--trace needs --seed or --script");
  if (mutant !== undefined && !MUTANTS.some(({ name }) => name === mutant)) {
    const names = MUTANTS.map(({ name }) => name).join(", ");
    throw new UsageError(`there is no mutant "${mutant}"; there are ${names}`);
  }
  return {
    world: tier ? "tier" : "service",
    first: toInteger("--seed", seed, 0) ?? toInteger("--first", values.first, 0) ?? 1,
    count: seed === undefined ? (toInteger("--seeds", seeds, 1) ?? DEFAULT_SEEDS) : 1,
    workers: toInteger("--workers", values.workers, 1),
    mutant,
    runsMutants: mutants,
    printsTrace: trace,
    scriptFile: script,
  };
}

function parse(args: readonly string[]): ReturnType<typeof parseStrictly> {
  try {
    return parseStrictly(args);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

interface Values {
  readonly seeds?: string | undefined;
  readonly seed?: string | undefined;
  readonly first?: string | undefined;
  readonly workers?: string | undefined;
  readonly mutant?: string | undefined;
  readonly mutants?: boolean | undefined;
  readonly trace?: boolean | undefined;
  readonly script?: string | undefined;
  readonly tier?: boolean | undefined;
}

function parseStrictly(args: readonly string[]): Values {
  return parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string" },
      seed: { type: "string" },
      first: { type: "string" },
      workers: { type: "string" },
      mutant: { type: "string" },
      mutants: { type: "boolean" },
      trace: { type: "boolean" },
      script: { type: "string" },
      tier: { type: "boolean" },
    },
  }).values;
}

function toInteger(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`${name} must be a whole number from ${least} on, not "${text}"`);
}
