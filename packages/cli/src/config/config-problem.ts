import { ProvisioningError, type ErrorCode, type ValidationProblem } from "@holdfast/core";
import type { TextPosition } from "@holdfast/provider-file";

/** One thing wrong with a configuration file; what stands in it is described and never repeated. */
export interface ConfigProblem extends Omit<ValidationProblem, "code"> {
  readonly code: ErrorCode;
  /** From 1, like `column`; absent where it cannot be told. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** How many problems of one file are named. */
const MAX_PROBLEMS = 100;

/** One error for all of them, with the code of the first; `details` holds `file` and `problems`, the first hundred. */
export function toConfigError(file: string, problems: readonly ConfigProblem[]): ProvisioningError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new ProvisioningError(problems[0]?.code ?? "VALIDATION_MALFORMED", `${count} in ${file}`, {
    details: { file, problems: problems.slice(0, MAX_PROBLEMS) },
  });
}

/** Puts the problems where they are in the file, in the order in which they stand there; of more than a hundred the first. */
export function placeProblems(
  problems: readonly Omit<ConfigProblem, "line" | "column">[],
  source: { locate(path: string): TextPosition | undefined },
): readonly ConfigProblem[] {
  const placed = problems
    .slice(0, MAX_PROBLEMS)
    .map((problem) => ({ ...problem, ...source.locate(problem.path) }))
    .sort(
      (a: ConfigProblem, b: ConfigProblem) =>
        (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );
  return [...placed, ...problems.slice(MAX_PROBLEMS)];
}
