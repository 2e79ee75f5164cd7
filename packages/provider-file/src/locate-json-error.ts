/** Matches white space, then one token: punctuation, a string, or another scalar (RFC 8259, sections 2 to 7). */
export const JSON_TOKEN: RegExp =
  // oxlint-disable-next-line no-control-regex -- the characters that must be escaped in a string
  /[ \t\n\r]*(?:([{}[\],:])|("[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end";

/**
 * Returns the offset of the first unexpected token (the length of the text when it ends too early), or `undefined` for
 * valid JSON.
 */
export function locateJsonError(text: string): number | undefined {
  const open: ("[" | "{")[] = [];
  let expected: Expected = "value";
  const token = new RegExp(JSON_TOKEN);
  for (;;) {
    const from = token.lastIndex;
    const match = token.exec(text);
    if (match === null) {
      const rest = text.slice(from).search(/[^ \t\n\r]/);
      if (rest !== -1) return from + rest;
      return open.length === 0 && expected === ", or end" ? undefined : text.length;
    }
    const next = follow(expected, match[1] ?? (match[2] === undefined ? "scalar" : "string"), open);
    if (next === undefined) return from + match[0].search(/[^ \t\n\r]/);
    expected = next;
  }
}

/**
 * Returns what is expected after the token, or `undefined` when the token itself is unexpected. Updates the stack of
 * open brackets.
 */
function follow(expected: Expected, token: string, open: ("[" | "{")[]): Expected | undefined {
  switch (expected) {
    case "value":
    case "value or ]":
      if (token === "{" || token === "[") {
        open.push(token);
        return token === "{" ? "key or }" : "value or ]";
      }
      if (token === "string" || token === "scalar") return ", or end";
      return token === "]" && expected === "value or ]" ? close(open) : undefined;
    case "key":
    case "key or }":
      if (token === "string") return ":";
      return token === "}" && expected === "key or }" ? close(open) : undefined;
    case ":":
      return token === ":" ? "value" : undefined;
    default: {
      const inside = open.at(-1);
      if (inside === undefined) return undefined;
      if (token === ",") return inside === "{" ? "key" : "value";
      return token === (inside === "{" ? "}" : "]") ? close(open) : undefined;
    }
  }
}

function close(open: ("[" | "{")[]): Expected {
  open.pop();
  return ", or end";
}
