import { escapeUnprintable } from "./printable.ts";

/** A list that is too long to be converted to JSON text at once. */
export class LongList {
  readonly items: Iterable<unknown>;

  constructor(items: Iterable<unknown>) {
    this.items = items;
  }
}

/** An object that may hold `LongList`s, at any depth of objects. */
export type JsonDocument = { readonly [key: string]: unknown };

/** Maximum number of items that are converted at once: fewer, when they are large. */
const ITEMS = 128;
const PIECE = 16_384;

/**
 * Yields the JSON text of a document in pieces of about ten kilobytes, so that a document of 100,000 members neither
 * blocks the event loop for long nor is in memory as a whole. The joined pieces are the text of `JSON.stringify`, with
 * unprintable characters escaped.
 */
export function toJsonPieces(document: JsonDocument): Generator<string, void> {
  return joined(toParts(document));
}

/** Yields the JSON texts of the items, separated by commas, in such pieces. */
export function toItemPieces(items: Iterable<unknown>): Generator<string, void> {
  return joined(toItems(items));
}

function* joined(parts: Iterable<string>): Generator<string, void> {
  let piece = "";
  for (const part of parts) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield escapeUnprintable(piece);
    piece = "";
  }
  if (piece !== "") yield escapeUnprintable(piece);
}

function* toParts(value: unknown): Generator<string, void> {
  if (value instanceof LongList) {
    yield "[";
    yield* toItems(value.items);
    yield "]";
  } else if (isDocument(value)) {
    let separator = "{";
    for (const [key, field] of Object.entries(value)) {
      if (field === undefined) continue;
      yield `${separator}${JSON.stringify(key)}:`;
      yield* toParts(field);
      separator = ",";
    }
    yield separator === "{" ? "{}" : "}";
  } else {
    yield JSON.stringify(value);
  }
}

function* toItems(items: Iterable<unknown>): Generator<string, void> {
  let batch: unknown[] = [];
  let size = ITEMS;
  let separator = "";
  const toText = () => {
    const text = separator + JSON.stringify(batch).slice(1, -1);
    size = Math.min(Math.max(Math.floor((batch.length * PIECE) / text.length), 1), ITEMS);
    separator = ",";
    batch = [];
    return text;
  };
  for (const item of items) {
    batch.push(item);
    if (batch.length >= size) yield toText();
  }
  if (batch.length > 0) yield toText();
}

function isDocument(value: unknown): value is JsonDocument {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("toJSON" in value);
}
