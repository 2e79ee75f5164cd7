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
  test("gives the lines that came at once together, and joins those that came in parts", async () => {
    expect(await read(99, "a\nb\nc", "c\n", "d", "", "\n")).toEqual([["a", "b"], ["cc"], ["d"]]);
  });

  test("leaves out empty lines", async () => {
    expect(await read(99, "\n \r\n", "a\r\n\n")).toEqual([["a\r"]]);
  });

  test("joins a character that was cut in two", async () => {
    const bytes = Buffer.from("é\n");
    expect(await read(99, bytes.subarray(0, 1), bytes.subarray(1))).toEqual([["é"]]);
  });

  test("refuses a line without an end as soon as it is too long", async () => {
    await expect(Array.fromAsync(readLines(toEndlessLine(), 95))).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      details: { maxBytes: 95 },
    });
  });

  test("counts each line by itself", async () => {
    expect(await read(4, "aaa\n", "bbb\n", "ccc\n")).toHaveLength(3);
  });

  test("gives whole lines, and then tells that the next one was cut off", async () => {
    const lines = readLines(toStream("a\n", "b"), 99);
    expect(await lines.next()).toEqual({ done: false, value: ["a"] });
    await expect(lines.next()).rejects.toMatchObject({ code: "STREAM_FAILED" });
  });
});
