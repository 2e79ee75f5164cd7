const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;
/** White space (RFC 8259, section 2). */
const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The position of an element in its text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds the elements of a JSON array in its bytes without parsing them: it splits the bytes at the commas of the first
 * level. It does not check whether an element is valid; the parser of the element does. The bytes that it searches for
 * are never part of another character in UTF-8.
 */
export class JsonArrayScanner {
  readonly #bytes: Uint8Array;
  #at: number;
  /** After an element, a comma must precede the next one. */
  #isBehindElement: boolean;
  #hasComma = false;

  /** Starts after the opening bracket or, with `isBehindElement`, after an element. */
  constructor(bytes: Uint8Array, from: number, isBehindElement: boolean) {
    this.#bytes = bytes;
    this.#at = from;
    this.#isBehindElement = isBehindElement;
  }

  /** Returns the position after the opening bracket of the array; -1 when the text is not an array. */
  static open(bytes: Uint8Array): number {
    const at = skipSpace(bytes, 0);
    return bytes[at] === OPEN_BRACKET ? at + 1 : -1;
  }

  /**
   * Returns the next element that starts before `limit`. Returns undefined when there is none, or when it is
   * incomplete.
   */
  next(limit: number): Span | undefined {
    const bytes = this.#bytes;
    let at = skipSpace(bytes, this.#at);
    if (at < limit && this.#isBehindElement && !this.#hasComma && bytes[at] === COMMA) {
      this.#hasComma = true;
      at = skipSpace(bytes, at + 1);
    }
    this.#at = at;
    if (at >= limit || !this.#isAtElement()) return undefined;
    const end = this.#endOf(at);
    if (end === undefined) return undefined;
    this.#at = end;
    this.#isBehindElement = true;
    this.#hasComma = false;
    return { start: at, end };
  }

  /** True when an element may start at `at`. */
  isBefore(at: number): boolean {
    return this.#at === at && this.#isBehindElement === this.#hasComma;
  }

  /** True when only the closing bracket remains, at a position where it is allowed. */
  get isAtEnd(): boolean {
    const bytes = this.#bytes;
    return (
      !this.#hasComma && bytes[this.#at] === CLOSE_BRACKET && skipSpace(bytes, this.#at + 1) === bytes.length
    );
  }

  #isAtElement(): boolean {
    const byte = this.#bytes[this.#at];
    return this.#isBehindElement === this.#hasComma && byte !== CLOSE_BRACKET && byte !== COMMA;
  }

  #endOf(start: number): number | undefined {
    const bytes = this.#bytes;
    let depth = 0;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        at = this.#endOfString(at);
        if (at < 0) return undefined;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
      } else if (depth === 0 && byte === COMMA) return at;
    }
    return undefined;
  }

  /** Returns the position of the closing quote; -1 when there is none. */
  #endOfString(start: number): number {
    const bytes = this.#bytes;
    for (let at = start + 1; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) at++;
    }
    return -1;
  }
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at++;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === TAB || byte === RETURN;
}
