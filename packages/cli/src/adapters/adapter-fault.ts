/** The reason why a module provides no adapter. Does not contain the name of the module in the configuration. */
export interface AdapterFault {
  readonly expected: string;
  readonly got: string;
}

/** A fault of the adapter that the configuration names at `path`, such as `adapters[0]`. */
export interface AdapterProblem extends AdapterFault {
  readonly path: string;
  readonly code: "VALIDATION_ADAPTER_UNAVAILABLE";
}

const MAX_LENGTH = 300;

/** Describes an error thrown by an adapter's code, on one line. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return "a thrown value that is not an Error";
  const [line = ""] = error.message.trim().split("\n");
  const text = line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH)}…`;
  return `${error.name}: ${text || "an error without a message"}`;
}
