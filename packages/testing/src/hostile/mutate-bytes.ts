import { pick, type Mutation } from "./mutation.ts";

/**
 * Inserted into JSON or YAML text: numbers beyond every type, punctuation, brackets, bytes that are not valid UTF-8.
 */
const INSERTS: readonly Buffer[] = [
  "1e400",
  "-0",
  "9007199254740993",
  "00",
  "null",
  "NaN",
  '"',
  "\\",
  "\\ud800",
  "\\u0000",
  ",",
  ":",
  "[",
  "]",
  "{",
  "}",
  "\n",
  "\r",
  "\t",
  "\u0000",
  "\uFEFF",
  "\u2028",
  "<<: *a",
  "&a ",
  "*a",
  "--- ",
  "!!js/function x",
  '"__proto__":{"polluted":true},',
  '"constructor":{"prototype":{"polluted":true}},',
  "[".repeat(2_000),
  '{"a":'.repeat(2_000),
]
  .map((text) => Buffer.from(text))
  .concat([Buffer.of(0xff), Buffer.of(0xc0, 0x80), Buffer.of(0xed, 0xa0, 0x80), Buffer.of(0xe2, 0x82)]);

/**
 * Returns the bytes with changes at any position: truncated, removed, duplicated, changed, or with something inserted.
 */
export function mutateBytes(bytes: Uint8Array, mutations: readonly Mutation[]): Buffer {
  let now = Buffer.from(bytes);
  for (const { place, choice } of mutations) {
    const at = place % (now.length + 1);
    const number = Math.floor(choice / 5);
    const end = Math.min(now.length, at + 1 + (number % 40));
    const [head, piece, tail] = [now.subarray(0, at), now.subarray(at, end), now.subarray(end)];
    const next = [
      [head, pick(INSERTS, number), piece, tail],
      [head, pick(INSERTS, number), piece, tail],
      [head, tail],
      [head, piece, piece, tail],
      number % 2 === 0 ? [head] : [head, Buffer.of(number % 256), piece.subarray(1), tail],
    ];
    now = Buffer.concat(pick(next, choice));
  }
  return now;
}

/** Returns the same bytes in parts that end at the given positions. */
export function cutInto(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.byteLength + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.byteLength].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}
