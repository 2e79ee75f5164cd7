/**
 * Characters that a terminal does not show as themselves: control characters (C0, C1, so U+009B too), those that change the
 * direction of text, those without a width, line separators, and halves of surrogate pairs.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Most texts hold none of them, which this finds out in a fraction of the time. */
const MAY_BE_UNPRINTABLE = /[^ -~]/;

/** Text from outside on one line: what could move the cursor, hide, reorder or start a line is shown as `�`. */
export function toPrintable(text: string): string {
  return MAY_BE_UNPRINTABLE.test(text) ? text.replace(UNPRINTABLE, "\ufffd") : text;
}

/** The same for a text of several lines. */
export function toPrintableLines(text: string): string {
  return text.split("\n").map(toPrintable).join("\n");
}

/** JSON text in which those characters are escaped. It has the same value. */
export function toJsonText(value: unknown): string {
  return escapeUnprintable(JSON.stringify(value));
}

/** Escapes those characters in JSON text without line breaks, where they can only be in strings. */
export function escapeUnprintable(json: string): string {
  if (!MAY_BE_UNPRINTABLE.test(json)) return json;
  return json.replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, index) => toEscape(character.charCodeAt(index))).join(""),
  );
}

function toEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
