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
): Promise<Uint8Array> {
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
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
}
