const SAFE = new Set([
  "stack",
  "message",
  "name",
  "cause",
  "errors",
  "code",
  "errno",
  "syscall",
  "address",
  "port",
  "hostname",
  "host",
  "path",
  "reason",
  "library",
]);

const MAX_DEPTH = 8;

/**
 * Makes an error of Node's sockets or TLS, or of undici, safe to be a `cause`: returns the error itself, or a copy
 * without content that may hold a secret. Parsers attach the bytes they failed on (`rawPacket`, `data`) or quote them,
 * as `JSON.parse` does, and errors about invalid URLs contain their password (`input`).
 */
export function toSafeCause(error: unknown): unknown {
  return isSafe(error, MAX_DEPTH) ? error : copyOf(error, MAX_DEPTH);
}

function isSafe(error: unknown, depth: number): boolean {
  if (!(error instanceof Error)) return typeof error !== "object" || error === null;
  if (depth === 0 || isQuoting(error) || !Object.getOwnPropertyNames(error).every((name) => SAFE.has(name)))
    return false;
  return innerOf(error).every((inner) => isSafe(inner, depth - 1));
}

function copyOf(error: unknown, depth: number): Error | undefined {
  if (!(error instanceof Error) || depth === 0) return undefined;
  const isQuote = isQuoting(error);
  const copy = new Error(isQuote ? "its message quotes an input" : error.message);
  for (const name of Object.getOwnPropertyNames(error)) {
    // The stack starts with the message.
    if (!SAFE.has(name) || (isQuote && (name === "message" || name === "stack"))) continue;
    const value: unknown = Reflect.get(error, name);
    if (typeof value === "string" || typeof value === "number") define(copy, name, value);
  }
  define(copy, "name", error.name);
  const inner = innerOf(error).map((each) => copyOf(each, depth - 1));
  if (inner.length > 0) define(copy, "cause", inner.length === 1 ? inner[0] : new AggregateError(inner));
  return copy;
}

/** True when the message quotes the input. */
function isQuoting(error: Error): boolean {
  const code: unknown = Reflect.get(error, "code");
  return error.name === "SyntaxError" || (typeof code === "string" && code.startsWith("ERR_INVALID_ARG"));
}

function innerOf(error: Error): readonly unknown[] {
  const cause = error.cause === undefined ? [] : [error.cause];
  return [...cause, ...(error instanceof AggregateError ? error.errors : [])];
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true });
}
