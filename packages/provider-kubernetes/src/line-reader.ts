import { ProvisioningError } from "@holdfast/core";

const NEWLINE = 0x0a;

/**
 * Cuts a stream of bytes into lines, and gives those of one part together: what came at once is taken in at once. Throws
 * `STREAM_INVALID_DATA` for a line of more than `maxBytes`, and `STREAM_FAILED` when the stream ends in a line.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<readonly string[], void> {
  let rest: Uint8Array[] = [];
  let restLength = 0;
  for await (const part of source) {
    const lines: string[] = [];
    let from = 0;
    for (;;) {
      const end = part.indexOf(NEWLINE, from);
      if (end < 0) break;
      rest.push(part.subarray(from, end));
      const text = Buffer.concat(rest).toString("utf8");
      if (text.trim() !== "") lines.push(text);
      rest = [];
      restLength = 0;
      from = end + 1;
    }
    if (from < part.byteLength) {
      rest.push(part.subarray(from));
      restLength += part.byteLength - from;
    }
    if (restLength > maxBytes) {
      throw new ProvisioningError(
        "STREAM_INVALID_DATA",
        `a line of the watch is longer than ${maxBytes} bytes`,
        {
          details: { maxBytes },
        },
      );
    }
    if (lines.length > 0) yield lines;
  }
  if (restLength > 0)
    throw new ProvisioningError("STREAM_FAILED", "the watch was cut off in the middle of a line");
}
