import type { ValidationProblem } from "@holdfast/core";

/** Maximum number of reported problems of one file. */
export const MAX_PROBLEMS = 100;

export interface TextPosition {
  /** Starts at 1. */
  readonly line: number;
  /** Starts at 1, in UTF-16 units. */
  readonly column: number;
}

/**
 * The file could be read but is not a valid topology. Holds every problem (the first hundred) and no text of the file.
 */
export class InvalidTopologyError extends Error {
  override readonly name = "InvalidTopologyError";
  readonly problems: readonly ValidationProblem[];
  /** Position of the first syntax error. */
  readonly position: TextPosition | undefined;

  constructor(problems: readonly ValidationProblem[], position?: TextPosition) {
    super("the topology file is invalid");
    this.problems = problems.slice(0, MAX_PROBLEMS);
    this.position = position;
  }
}

/** A problem with the file as a whole. */
export function toFileProblem(expected: string, got: string): ValidationProblem {
  return { path: "", expected, got, code: "VALIDATION_MALFORMED" };
}

/** A problem with the file's text. */
export function toSyntaxProblem(expected: string, got: string, at: TextPosition): ValidationProblem {
  return toFileProblem(expected, `${got} at line ${at.line}, column ${at.column}`);
}
