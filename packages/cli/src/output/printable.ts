/**
 * Characters that a terminal does not display as themselves: control characters (C0, C1, so U+009B too), characters
 * that change the direction of text, zero-width characters, line separators, and unpaired surrogates.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A quick check: most texts contain none of these characters. */
const MAY_BE_UNPRINTABLE = /[^ -~]/;

/**
 * Replaces characters that could move the cursor, hide or reorder text, or start a line, with `�`, so that text from
 * outside stays on one line.
 */
export function toPrintable(text: string): string {
  return MAY_BE_UNPRINTABLE.test(text) ? text.replace(UNPRINTABLE, "\ufffd") : text;
}

/** Like `toPrintable`, for each line of a text. */
export function toPrintableLines(text: string): string {
  return text.split("\n").map(toPrintable).join("\n");
}

/** Returns JSON text in which these characters are escaped. It has the same value. */
export function toJsonText(value: unknown): string {
  return escapeUnprintable(JSON.stringify(value));
}

/** Escapes these characters in JSON text without line breaks, where they can only occur in strings. */
export function escapeUnprintable(json: string): string {
  if (!MAY_BE_UNPRINTABLE.test(json)) return json;
  return json.replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, index) => toEscape(character.charCodeAt(index))).join(""),
  );
}

function toEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
