import { InvalidTopologyError, toFileProblem, toSyntaxProblem } from "./invalid-topology-error.ts";
import { locateJsonError } from "./locate-json-error.ts";
import { locateRepeatedKey } from "./locate-repeated-key.ts";

const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COLON = 0x3a;

/**
 * Like `JSON.parse`, but a repeated key is an error, and errors contain the position and no text of the input. Throws
 * `InvalidTopologyError`.
 */
export function parseJson(text: string): unknown {
  const { depth, colons } = measure(text);
  if (depth > MAX_DEPTH) {
    throw new InvalidTopologyError([toFileProblem(`at most ${MAX_DEPTH} levels of nesting`, "more")]);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the text around the error, and contains the position only sometimes.
    const offset = locateJsonError(text) ?? text.length;
    throw invalidAt(
      text,
      offset,
      "valid JSON",
      offset === text.length ? "the end of the file" : "a syntax error",
    );
  }
  // Every key has a colon. `JSON.parse` keeps only the last of equal keys, so fewer keys than colons mean that one is
  // repeated.
  if (countKeys(value) < colons) {
    throw invalidAt(
      text,
      locateRepeatedKey(text) ?? 0,
      "keys that are unique in their object",
      "a repeated key",
    );
  }
  return value;
}

function invalidAt(text: string, offset: number, expected: string, got: string): InvalidTopologyError {
  const before = text.slice(0, offset).split("\n");
  const at = { line: before.length, column: before.at(-1)!.length + 1 };
  return new InvalidTopologyError([toSyntaxProblem(expected, got, at)], at);
}

/** Counts the keys of a value. The depth of the value is already limited. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const parts: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let count = Array.isArray(value) ? 0 : parts.length;
  for (const part of parts) count += countKeys(part);
  return count;
}

/**
 * Returns the nesting depth of the text, up to one level above the limit, and the number of colons outside of strings.
 * This is done before parsing, because `JSON.parse` uses about a hundred bytes of heap for every level of nesting,
 * without a limit.
 */
function measure(text: string): { readonly depth: number; readonly colons: number } {
  let depth = 0;
  let deepest = 0;
  let colons = 0;
  let isInString = false;
  for (let i = 0; i < text.length && deepest <= MAX_DEPTH; i++) {
    const unit = text.charCodeAt(i);
    if (isInString) {
      if (unit === BACKSLASH) i++;
      else if (unit === QUOTE) isInString = false;
    } else if (unit === QUOTE) isInString = true;
    else if (unit === COLON) colons++;
    else if (unit === OPEN_BRACKET || unit === OPEN_BRACE) deepest = Math.max(deepest, ++depth);
    else if (unit === CLOSE_BRACKET || unit === CLOSE_BRACE) depth--;
  }
  return { depth: deepest, colons };
}
