import { ProvisioningError, type ErrorCode, type ValidationProblem } from "@holdfast/core";
import type { TextPosition } from "@holdfast/provider-file";

/** One problem of a configuration file. The content of the file is described but never quoted. */
export interface ConfigProblem extends Omit<ValidationProblem, "code"> {
  readonly code: ErrorCode;
  /** Starts at 1, like `column`. Absent if the position is unknown. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** Maximum number of reported problems of one file. */
const MAX_PROBLEMS = 100;

/**
 * Combines the problems into one error with the code of the first. `details` holds `file` and `problems`, at most the
 * first hundred.
 */
export function toConfigError(file: string, problems: readonly ConfigProblem[]): ProvisioningError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new ProvisioningError(problems[0]?.code ?? "VALIDATION_MALFORMED", `${count} in ${file}`, {
    details: { file, problems: problems.slice(0, MAX_PROBLEMS) },
  });
}

/** Adds the position in the file to the problems and sorts them by it. Keeps at most the first hundred. */
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
