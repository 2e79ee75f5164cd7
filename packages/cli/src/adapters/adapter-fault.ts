/** Why a module gives no adapter. Says nothing of the name it has in the configuration. */
export interface AdapterFault {
  readonly expected: string;
  readonly got: string;
}

const MAX_LENGTH = 300;

/** What somebody else's code threw, on one line. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return "something thrown that is no error";
  const [line = ""] = error.message.trim().split("\n");
  const text = line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH)}…`;
  return `${error.name}: ${text || "an error without a message"}`;
}
