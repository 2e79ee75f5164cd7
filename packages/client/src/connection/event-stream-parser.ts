import { ProvisioningError } from "@holdfast/core";

/** What a stream of Server-Sent Events consists of. */
export type StreamItem =
  | {
      readonly type: "event";
      readonly event: string;
      readonly data: string;
      /** The last `id` field, which stays valid until the next one; empty before the first. */
      readonly id: string;
    }
  | { readonly type: "comment"; readonly text: string };

export interface EventStreamParserOptions {
  /** Longest event, in UTF-16 code units. A longer one, or a longer comment, ends the stream. */
  readonly maxEventLength: number;
}

/**
 * Reads Server-Sent Events (WHATWG HTML, section 9.2.6) from bytes that arrive in any pieces. The field `retry` is ignored, because
 * waits are decided by failover.
 */
export class EventStreamParser {
  readonly #maxEventLength: number;
  readonly #decoder = new TextDecoder();
  /** The beginning of a line whose end has not arrived. */
  #parts: string[] = [];
  #partsLength = 0;
  /** The last piece ended with a carriage return: a line feed that follows belongs to it. */
  #endsWithCr = false;
  #event = "";
  #id = "";
  #data: string[] = [];
  #dataLength = 0;

  constructor({ maxEventLength }: EventStreamParserOptions) {
    this.#maxEventLength = maxEventLength;
  }

  /** The items that are complete now. Throws `STREAM_INVALID_DATA` for an event that is too long. */
  push(bytes: Uint8Array): readonly StreamItem[] {
    const items: StreamItem[] = [];
    const text = this.#decoder.decode(bytes, { stream: true });
    let at = this.#endsWithCr && text.startsWith("\n") ? 1 : 0;
    if (text !== "") this.#endsWithCr = text.endsWith("\r");
    const lineEnd = /\r\n|\r|\n/g;
    lineEnd.lastIndex = at;
    for (let match = lineEnd.exec(text); match !== null; match = lineEnd.exec(text)) {
      this.#keep(text.slice(at, match.index));
      at = lineEnd.lastIndex;
      const item = this.#takeLine();
      if (item !== undefined) items.push(item);
    }
    this.#keep(text.slice(at));
    return items;
  }

  #keep(part: string): void {
    if (part === "") return;
    this.#partsLength += part.length;
    this.#parts.push(part);
    if (this.#partsLength + this.#dataLength <= this.#maxEventLength) return;
    const maxEventLength = this.#maxEventLength;
    const message = `an event of the stream is longer than ${maxEventLength} characters`;
    throw new ProvisioningError("STREAM_INVALID_DATA", message, { details: { maxEventLength } });
  }

  #takeLine(): StreamItem | undefined {
    const line = this.#parts.join("");
    this.#parts = [];
    this.#partsLength = 0;
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return { type: "comment", text: withoutSpace(line.slice(1)) };
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : withoutSpace(line.slice(colon + 1));
    if (field === "event") this.#event = value;
    else if (field === "id") this.#id = value;
    else if (field === "data") {
      this.#data.push(value);
      // The line feed between two lines counts too, so that lines without text are limited as well.
      this.#dataLength += value.length + 1;
    }
    return undefined;
  }

  #dispatch(): StreamItem | undefined {
    const event = this.#event;
    const data = this.#data;
    this.#event = "";
    this.#data = [];
    this.#dataLength = 0;
    if (data.length === 0) return undefined;
    return { type: "event", event: event === "" ? "message" : event, data: data.join("\n"), id: this.#id };
  }
}

function withoutSpace(value: string): string {
  return value.startsWith(" ") ? value.slice(1) : value;
}
