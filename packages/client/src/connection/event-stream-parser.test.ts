import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventStreamParser, type StreamItem } from "./event-stream-parser.ts";

const encoder = new TextEncoder();

function parse(text: string, sizes: readonly number[] = [text.length]): readonly StreamItem[] {
  const parser = new EventStreamParser({ maxLineLength: 1_000 });
  const bytes = encoder.encode(text);
  const items: StreamItem[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    items.push(...parser.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return items;
}

describe("EventStreamParser", () => {
  test.each<[string, string, readonly StreamItem[]]>([
    [
      "an event with a name",
      "id: 1\nevent: state\ndata: {}\n\n",
      [{ type: "event", event: "state", data: "{}" }],
    ],
    ["an event without a name", "data: a\n\n", [{ type: "event", event: "message", data: "a" }]],
    [
      "several lines of data",
      "data: a\ndata:b\ndata\n\n",
      [{ type: "event", event: "message", data: "a\nb\n" }],
    ],
    ["a comment", ": nothing new\n\n", [{ type: "comment", text: "nothing new" }]],
    ["no data, no event", "event: state\n\nretry: 5\n\n", []],
    ["an event that is not complete", "data: a\n", []],
    [
      "lines that end in CR or CRLF",
      "data: a\r\rdata: b\r\n\r\n",
      [
        { type: "event", event: "message", data: "a" },
        { type: "event", event: "message", data: "b" },
      ],
    ],
    ["unknown fields", "when: now\ndata: a\n\n", [{ type: "event", event: "message", data: "a" }]],
  ])("reads %s", (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  test("gives the same items however the bytes are cut, also within a character or a line end", () => {
    const text = ": ç€😀\r\nevent: é\r\ndata: 😀\r\ndata: ü\r\n\r\n: end\n\n";
    const whole = parse(text);
    expect(whole).toHaveLength(3);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 60 }), (sizes) => {
        expect(parse(text, sizes)).toEqual(whole);
      }),
    );
  });

  test("refuses a line that is too long, however it arrives", () => {
    const parser = new EventStreamParser({ maxLineLength: 10 });
    parser.push(encoder.encode("data: 1234"));
    expect(() => parser.push(encoder.encode("5"))).toThrow("STREAM_INVALID_DATA");
  });
});
