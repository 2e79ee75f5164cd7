import { describe, expect, test } from "vitest";
import { parseCommandLine, UsageError } from "./command-line.ts";

describe("the command line", () => {
  test("runs a thousand seeds when nothing is said", () => {
    expect(parseCommandLine([])).toMatchObject({ first: 1, count: 1_000, runsMutants: false });
  });

  test("takes a range of seeds", () => {
    expect(parseCommandLine(["--first", "7", "--seeds", "30"])).toMatchObject({ first: 7, count: 30 });
  });

  test("takes one seed, with a bug planted and its trace printed", () => {
    const command = parseCommandLine(["--seed", "7", "--mutant", "save-lost", "--trace"]);

    expect(command).toMatchObject({ first: 7, count: 1, mutant: "save-lost", printsTrace: true });
  });

  test.each([
    [["--seeds", "none"], '--seeds must be a whole number from 1 on, not "none"'],
    [["--seeds", "0"], '--seeds must be a whole number from 1 on, not "0"'],
    [["--seeds", "5", "--seed", "1"], "exclude each other"],
    [["--script", "x", "--seed", "1"], "exclude each other"],
    [["--mutants", "--seed", "1"], "--mutants goes with --seeds and --first only"],
    [["--mutant", "nobody"], 'there is no mutant "nobody"'],
    [["--trace"], "--trace needs --seed or --script"],
    [["--sedes", "5"], "--sedes"],
    [["5"], "5"],
  ])("refuses %j", (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(UsageError);
    expect(() => parseCommandLine(args)).toThrow(message);
  });
});
