import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeUnprintable, toJsonText, toPrintable, toPrintableLines } from "./printable.ts";

// G12
const UNPRINTABLE = [
  ["a newline", "\n"],
  ["an escape sequence", "\u001b"],
  ["the one-character CSI", "\u009b"],
  ["delete", "\u007f"],
  ["a line separator", "\u2028"],
  ["a right-to-left override", "\u202e"],
  ["an isolate", "\u2066"],
  ["an Arabic letter mark", "\u061c"],
  ["a zero-width space", "\u200b"],
  ["a zero-width joiner", "\u200d"],
  ["a byte order mark", "\ufeff"],
  ["a soft hyphen", "\u00ad"],
  ["a tag character", "\u{e0041}"],
  ["a variation selector", "\ufe0f"],
  ["a Hangul filler", "\u3164"],
  ["half of a surrogate pair", "\ud800"],
] as const;

describe("text for a terminal", () => {
  test.each(UNPRINTABLE)("%s is replaced, and escaped in JSON", (_, character) => {
    expect(toPrintable(`a${character}b`)).toBe("a\ufffdb");
    const json = toJsonText({ [`a${character}`]: character });
    expect(toPrintable(json)).toBe(json);
    expect(json).toMatch(/^[ -~]+$/);
    expect(JSON.parse(json)).toEqual({ [`a${character}`]: character });
  });

  test("visible text of any language is unchanged", () => {
    const text = "node-1 Köln 東京 مثال 🚀 ½";
    expect(toPrintable(text)).toBe(text);
    expect(toJsonText(text)).toBe(`"${text}"`);
  });

  test("line breaks are kept where they are allowed", () => {
    expect(toPrintableLines("a\u001b[2J\nb")).toBe("a\ufffd[2J\nb");
  });

  test("escaped JSON has the same value and no unprintable character", () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: "binary" }), (json) => {
        const escaped = escapeUnprintable(json);
        expect(JSON.parse(escaped)).toEqual(JSON.parse(json));
        expect(toPrintable(escaped)).toBe(escaped);
      }),
    );
  });
});
