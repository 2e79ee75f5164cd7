import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MUTANTS } from "./mutants.ts";
import { plantedSource } from "./plant-mutant.ts";

const ROOT = new URL("../../../../", import.meta.url);

// A planted bug that no longer matches its source proves nothing. This test detects that without running the
// simulation.
test.each(MUTANTS)("$name matches its source exactly once and changes it", (mutant) => {
  const source = readFileSync(new URL(mutant.file, ROOT), "utf8");
  expect(plantedSource(mutant, source)).not.toBe(source);
});

test("every planted bug has a unique name", () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

test("a text that its source does not contain, or contains twice, is refused by the name of the mutant", () => {
  const mutant = { name: "sample", bug: "a sample", file: "sample.ts", find: "a();", replace: "b();" };
  expect(() => plantedSource(mutant, "c();")).toThrow(/sample: .* 0 times in sample\.ts/);
  expect(() => plantedSource(mutant, "a(); a();")).toThrow(/sample: .* 2 times in sample\.ts/);
  expect(plantedSource(mutant, "a(); c();")).toBe("b(); c();");
});
