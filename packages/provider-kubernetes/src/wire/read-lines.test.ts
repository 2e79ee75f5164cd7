import { describe, expect, test } from "vitest";
import { readLines } from "./read-lines.ts";

async function* toStream(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}

async function* toEndlessLine(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(10, "x");
}

async function read(maxBytes: number, ...parts: readonly (string | Uint8Array)[]): Promise<unknown> {
  return Array.fromAsync(readLines(toStream(...parts), maxBytes));
}

describe("readLines", () => {
  test("yields lines that arrive at once together, and joins lines that arrive in parts", async () => {
    expect(await read(99, "a\nb\nc", "c\n", "d", "", "\n")).toEqual([["a", "b"], ["cc"], ["d"]]);
  });

  test("skips empty lines", async () => {
    expect(await read(99, "\n \r\n", "a\r\n\n")).toEqual([["a\r"]]);
  });

  test("joins a character that was split", async () => {
    const bytes = Buffer.from("é\n");
    expect(await read(99, bytes.subarray(0, 1), bytes.subarray(1))).toEqual([["é"]]);
  });

  test("rejects a line without an end as soon as it is too long", async () => {
    await expect(Array.fromAsync(readLines(toEndlessLine(), 95))).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      details: { maxBytes: 95 },
    });
  });

  test("applies the limit to each line separately", async () => {
    expect(await read(4, "aaa\n", "bbb\n", "ccc\n")).toHaveLength(3);
  });

  test("yields complete lines, and then reports that the next one is incomplete", async () => {
    const lines = readLines(toStream("a\n", "b"), 99);
    expect(await lines.next()).toEqual({ done: false, value: ["a"] });
    await expect(lines.next()).rejects.toMatchObject({ code: "STREAM_FAILED" });
  });
});
