import { describe, expect, test } from "vitest";
import { parseCommandLine, UsageError } from "./command-line.ts";

describe("the command line", () => {
  test("runs a thousand seeds by default", () => {
    expect(parseCommandLine([])).toMatchObject({ first: 1, count: 1_000, runsMutants: false });
  });

  test("accepts a range of seeds", () => {
    expect(parseCommandLine(["--first", "7", "--seeds", "30"])).toMatchObject({ first: 7, count: 30 });
  });

  test("accepts one seed with a mutant and a trace", () => {
    const command = parseCommandLine(["--seed", "7", "--mutant", "save-lost", "--trace"]);

    expect(command).toMatchObject({ first: 7, count: 1, mutant: "save-lost", printsTrace: true });
  });

  test.each([
    [["--seeds", "none"], '--seeds must be a whole number from 1 on, not "none"'],
    [["--seeds", "0"], '--seeds must be a whole number from 1 on, not "0"'],
    [["--seeds", "5", "--seed", "1"], "exclude each other"],
    [["--script", "x", "--seed", "1"], "exclude each other"],
    [["--mutants", "--seed", "1"], "--mutants goes with --seeds and --first only"],
    [["--mutant", "unknown"], 'there is no mutant "unknown"'],
    [["--trace"], "--trace needs --seed or --script"],
    [["--sedes", "5"], "--sedes"],
    [["5"], "5"],
  ])("refuses %j", (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(UsageError);
    expect(() => parseCommandLine(args)).toThrow(message);
  });
});
