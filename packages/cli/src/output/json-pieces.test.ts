import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toJsonText } from "./printable.ts";
import { LongList, toItemPieces, toJsonPieces } from "./json-pieces.ts";

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

  test("yields large items one by one, and small ones after them together again", () => {
    const large = Array.from({ length: 300 }, () => ({ text: "x".repeat(20_000) }));
    const small = Array.from({ length: 3_000 }, () => ({ text: "x" }));
    const pieces = [...toJsonPieces({ members: new LongList([...large, ...small]) })];
    // The size of the items is only known after the first batch.
    for (const piece of pieces.slice(1)) expect(piece.length).toBeLessThan(40_000);
    expect(pieces.length).toBeLessThan(310);
    expect(JSON.parse(pieces.join(""))).toMatchObject({ members: { length: 3_300 } });
  });
});

test("toItemPieces yields the items without brackets", () => {
  expect([...toItemPieces([1, "a", { b: 2 }])].join("")).toBe('1,"a",{"b":2}');
  expect([...toItemPieces([])]).toEqual([]);
});
