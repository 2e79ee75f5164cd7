import { ProvisioningError } from "@holdfast/core";
import { ByteParts } from "@holdfast/core/adapter";

const NEWLINE = 0x0a;

/**
 * Splits a stream of bytes into lines, and yields the lines of one chunk together, so that changes that arrive at once
 * are processed at once. Throws `STREAM_INVALID_DATA` for a line of more than `maxBytes`, and `STREAM_FAILED` when the
 * stream ends in the middle of a line.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<readonly string[], void> {
  const rest = new ByteParts();
  for await (const chunk of source) {
    const lines: string[] = [];
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      rest.add(chunk.subarray(from, end));
      const text = rest.take().toString("utf8");
      if (text.trim() !== "") lines.push(text);
      from = end + 1;
    }
    rest.add(chunk.subarray(from));
    if (rest.byteLength > maxBytes) {
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
  if (rest.byteLength > 0)
    throw new ProvisioningError("STREAM_FAILED", "the watch ended in the middle of a line");
}
