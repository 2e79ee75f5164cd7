import { InvalidTopologyError, toFileProblem, toSyntaxProblem } from "./invalid-topology-error.ts";
import { locateJsonError } from "./locate-json-error.ts";

const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** As `JSON.parse`, but the error says where and repeats none of the text. Throws `InvalidTopologyError`. */
export function parseJson(text: string): unknown {
  if (isDeeperThan(MAX_DEPTH, text)) {
    throw new InvalidTopologyError([toFileProblem(`at most ${MAX_DEPTH} levels of nesting`, "more")]);
  }
  try {
    return JSON.parse(text);
  } catch {
    // V8's message quotes the text around the error, and gives its position only at times.
    const offset = locateJsonError(text) ?? text.length;
    const before = text.slice(0, offset).split("\n");
    const at = { line: before.length, column: before.at(-1)!.length + 1 };
    const got = offset === text.length ? "the end of the file" : "a syntax error";
    throw new InvalidTopologyError([toSyntaxProblem("valid JSON", got, at)], at);
  }
}

/** Looked at first: every level of nesting costs `JSON.parse` about a hundred bytes, on no heap that has a limit. */
function isDeeperThan(limit: number, text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (isInString) {
      if (unit === BACKSLASH) i++;
      else if (unit === QUOTE) isInString = false;
    } else if (unit === QUOTE) isInString = true;
    else if (unit === OPEN_BRACKET || unit === OPEN_BRACE) {
      if (++depth > limit) return true;
    } else if (unit === CLOSE_BRACKET || unit === CLOSE_BRACE) depth--;
  }
  return false;
}
