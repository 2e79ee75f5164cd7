import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toJsonText } from "./printable.ts";
import { LongList, toJsonPieces } from "./json-pieces.ts";

/** The document with arrays instead of `LongList`s. */
function plain(value: unknown): unknown {
  if (value instanceof LongList) return [...value.items];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
}

const value = fc.letrec((tie) => ({
  document: fc.dictionary(fc.string(), tie("field"), { maxKeys: 5 }),
  field: fc.oneof(
    { depthSize: "small" },
    fc.jsonValue(),
    fc.constant(undefined),
    fc.array(fc.jsonValue(), { maxLength: 300 }).map((items) => new LongList(items)),
    tie("document"),
  ),
}));

describe("toJsonPieces", () => {
  test("yields the text of JSON.stringify, in pieces", () => {
    fc.assert(
      fc.property(value.document, (document) => {
        const text = [...toJsonPieces(document)].join("");
        expect(text).toBe(toJsonText(plain(document)));
      }),
    );
  });

  test("yields pieces of bounded size, and reads the list lazily", () => {
    let read = 0;
    function* items() {
      for (; read < 100_000; read++) yield { id: `node-${read}`, host: "host.test", port: 7000 };
    }
    const pieces = toJsonPieces({ members: new LongList(items()) });
    let text = String(pieces.next().value);
    expect(read).toBeLessThan(1_000);
    for (const piece of pieces) {
      expect(piece.length).toBeLessThan(32_768);
      text += piece;
    }
    expect(JSON.parse(text)).toMatchObject({ members: { length: 100_000 } });
  });
});
