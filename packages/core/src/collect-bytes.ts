import { ProvisioningError } from "./provisioning-error.ts";

export interface CollectOptions {
  readonly maxBytes: number;
}

/**
 * Reads a body to its end. Throws `STREAM_INVALID_DATA` as soon as it is longer than `maxBytes`, and what the source
 * throws; the source is closed then.
 */
export async function collectBytes(
  source: AsyncIterable<Uint8Array>,
  { maxBytes }: CollectOptions,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of source) {
    length += part.byteLength;
    if (length > maxBytes) {
      throw new ProvisioningError("STREAM_INVALID_DATA", `the answer is longer than ${maxBytes} bytes`, {
        details: { maxBytes },
      });
    }
    parts.push(part);
  }
  const [only] = parts;
  if (only === undefined || parts.length > 1) return Buffer.concat(parts, length);
  return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
}
