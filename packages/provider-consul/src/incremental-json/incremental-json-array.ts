import { isUtf8 } from "node:buffer";
import { throwIfAborted, type Clock } from "@holdfast/core";
import { parseJson } from "@holdfast/core/adapter";
import { commonPrefix, commonSuffix } from "./common-bytes.ts";
import { EntryTable, type Entry } from "./entry-table.ts";
import { JsonArrayScanner } from "./json-array-scanner.ts";

export interface IncrementalJsonArrayOptions {
  readonly maxEntries: number;
  readonly clock: Clock;
  /** The error to throw for a text that is not a JSON array in UTF-8. */
  readonly toNotAnArray: (byteLength: number) => Error;
  /** The error to throw for a text with more than `maxEntries` elements. */
  readonly toTooMany: () => Error;
}

/** How the values changed from one text to the next: `entries` replaced `gone`. */
export interface JsonArrayChange<T> {
  readonly gone: readonly T[];
  readonly entries: readonly T[];
}

interface Patch<T> {
  readonly from: number;
  readonly to: number;
  readonly entries: readonly Entry<T>[];
  /** The number of bytes by which the entries after `to` have moved. */
  readonly shift: number;
}

/** Number of entries that are read before the event loop gets a turn. */
const STEP = 512;

/**
 * The values of a JSON array that is received repeatedly, each time complete. Keeps the last text, and parses only the
 * elements of the next one that differ from it.
 */
export class IncrementalJsonArray<T> {
  readonly #options: IncrementalJsonArrayOptions;
  #bytes: Buffer | undefined;
  #table: EntryTable<T> = EntryTable.from<T>([]);

  constructor(options: IncrementalJsonArrayOptions) {
    this.#options = options;
  }

  /** The results of `read` for the elements of the last text, in order. */
  get values(): readonly T[] {
    return this.#table.values;
  }

  /**
   * Processes the next text, and calls `read` for each element that must be parsed. Returns "same" for a text that is
   * byte for byte equal to the last one. A rejected text does not change the values.
   */
  async update(
    bytes: Buffer,
    read: (element: unknown) => T,
    signal: AbortSignal,
  ): Promise<JsonArrayChange<T> | "same"> {
    const before = this.#bytes;
    if (before?.equals(bytes) === true) return "same";
    // JSON is UTF-8 (RFC 8259, section 8.1). Decoding other bytes would replace them silently.
    if (!isUtf8(bytes)) throw this.#options.toNotAnArray(bytes.length);
    const patch =
      (before !== undefined && (await this.#readDifference(before, bytes, read, signal))) ||
      (await this.#readAll(bytes, read, signal));
    const { from, to, entries, shift } = patch;
    const gone = this.#table.values.slice(from, to);
    if (this.#table.size - gone.length + entries.length > this.#options.maxEntries)
      throw this.#options.toTooMany();
    this.#table = this.#table.splice(from, to, entries, shift);
    this.#bytes = bytes;
    return { gone, entries: entries.map(({ value }) => value) };
  }

  async #readAll(bytes: Buffer, read: (element: unknown) => T, signal: AbortSignal): Promise<Patch<T>> {
    const from = JsonArrayScanner.open(bytes);
    const scanner = new JsonArrayScanner(bytes, from, false);
    const entries = from < 0 ? [] : await this.#readEntries(bytes, scanner, bytes.length, read, signal);
    if (from < 0 || !scanner.isAtEnd) throw this.#options.toNotAnArray(bytes.length);
    return { from: 0, to: this.#table.size, entries, shift: 0 };
  }

  /**
   * Reads the elements between the unchanged entries at the beginning and at the end. Returns undefined when the
   * changed bytes do not end at the end of an element, because the unchanged bytes may then have another meaning.
   */
  async #readDifference(
    before: Buffer,
    bytes: Buffer,
    read: (element: unknown) => T,
    signal: AbortSignal,
  ): Promise<Patch<T> | undefined> {
    const table = this.#table;
    const prefix = commonPrefix(before, bytes);
    const suffix = commonSuffix(before, bytes, Math.min(before.length, bytes.length) - prefix);
    const shift = bytes.length - before.length;
    const from = table.countBefore(prefix);
    const to = Math.max(from, table.firstFrom(before.length - suffix));
    const isFirst = from === 0;
    const startAt = isFirst ? JsonArrayScanner.open(bytes) : table.endOf(from - 1);
    if (startAt < 0) return undefined;
    const endAt = to < table.size ? table.startOf(to) + shift : undefined;
    const scanner = new JsonArrayScanner(bytes, startAt, !isFirst);
    const entries = await this.#readEntries(bytes, scanner, endAt ?? bytes.length, read, signal);
    const fits = endAt === undefined ? scanner.isAtEnd : scanner.isBefore(endAt);
    return fits ? { from, to, entries, shift } : undefined;
  }

  async #readEntries(
    bytes: Buffer,
    scanner: JsonArrayScanner,
    limit: number,
    read: (element: unknown) => T,
    signal: AbortSignal,
  ): Promise<readonly Entry<T>[]> {
    const { clock, maxEntries, toNotAnArray, toTooMany } = this.#options;
    const entries: Entry<T>[] = [];
    for (let span = scanner.next(limit); span !== undefined; span = scanner.next(limit)) {
      const element = parseJson(bytes.toString("utf8", span.start, span.end));
      if (element === undefined) throw toNotAnArray(bytes.length);
      entries.push({ ...span, value: read(element) });
      if (entries.length > maxEntries) throw toTooMany();
      if (entries.length % STEP !== 0) continue;
      await clock.yield();
      throwIfAborted(signal);
    }
    return entries;
  }
}
