import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventStreamParser, type StreamItem } from "./event-stream-parser.ts";

const encoder = new TextEncoder();

function parse(text: string, sizes: readonly number[] = [text.length]): readonly StreamItem[] {
  const parser = new EventStreamParser({ maxEventLength: 1_000 });
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
      [{ type: "event", event: "state", data: "{}", id: "1" }],
    ],
    ["an event without a name", "data: a\n\n", [{ type: "event", event: "message", data: "a", id: "" }]],
    [
      "several lines of data",
      "data: a\ndata:b\ndata\n\n",
      [{ type: "event", event: "message", data: "a\nb\n", id: "" }],
    ],
    ["a comment", ": nothing new\n\n", [{ type: "comment", text: "nothing new" }]],
    ["no data, no event", "event: state\n\nretry: 5\n\n", []],
    ["an event that is not complete", "data: a\n", []],
    [
      "lines that end in CR or CRLF",
      "data: a\r\rdata: b\r\n\r\n",
      [
        { type: "event", event: "message", data: "a", id: "" },
        { type: "event", event: "message", data: "b", id: "" },
      ],
    ],
    ["unknown fields", "when: now\ndata: a\n\n", [{ type: "event", event: "message", data: "a", id: "" }]],
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

  test("keeps the id until the next one", () => {
    const ids = parse("id: a@1\ndata: 1\n\ndata: 2\n\nid: b\n\ndata: 3\n\n").map((item) =>
      item.type === "event" ? item.id : "",
    );
    expect(ids).toEqual(["a@1", "a@1", "b"]);
  });

  test.each([
    ["a line", ["data: 1234", "5"]],
    ["a comment", [":23456789012"]],
    ["an event of many lines", ["data: 1\n", "data: 2\n", "data: 3\n"]],
    ["an event of many lines without text", Array.from({ length: 8 }, () => "data\n")],
  ])("refuses %s that is too long, however it arrives", (_, parts) => {
    const parser = new EventStreamParser({ maxEventLength: 10 });
    const last = parts.at(-1)!;
    for (const part of parts.slice(0, -1)) parser.push(encoder.encode(part));
    expect(() => parser.push(encoder.encode(last))).toThrow("STREAM_INVALID_DATA");
  });

  test("accepts any number of events that are short", () => {
    const parser = new EventStreamParser({ maxEventLength: 10 });
    for (let i = 0; i < 100; i++) expect(parser.push(encoder.encode("data: 1\n\n"))).toHaveLength(1);
  });
});
