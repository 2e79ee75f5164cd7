import { JSON_TOKEN } from "./locate-json-error.ts";

/**
 * Returns the offset of the first repeated key of an object in a valid JSON text, or `undefined` when all keys are
 * unique.
 */
export function locateRepeatedKey(text: string): number | undefined {
  // The keys of each open object; undefined for an array.
  const open: (Set<unknown> | undefined)[] = [];
  let isKeyNext = false;
  const token = new RegExp(JSON_TOKEN);
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [whole, punctuation, string] = match;
    if (punctuation === "{" || punctuation === "[") open.push(punctuation === "{" ? new Set() : undefined);
    else if (punctuation === "}" || punctuation === "]") open.pop();
    const keys = open.at(-1);
    if (isKeyNext && string !== undefined && keys !== undefined) {
      // Parsed, because escapes can represent one key in several ways.
      const key: unknown = JSON.parse(string);
      if (keys.has(key)) return token.lastIndex - whole.trimStart().length;
      keys.add(key);
    }
    isKeyNext = keys !== undefined && (punctuation === "{" || punctuation === ",");
  }
  return undefined;
}
