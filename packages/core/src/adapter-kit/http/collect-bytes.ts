import { ByteParts } from "../files/byte-parts.ts";
import { ProvisioningError } from "../../errors/provisioning-error.ts";

export interface CollectOptions {
  readonly maxBytes: number;
}

/**
 * Reads a body to its end. Throws `STREAM_INVALID_DATA` as soon as it is longer than `maxBytes`, and rethrows the error
 * of the source. In both cases the source is closed.
 */
export async function collectBytes(
  source: AsyncIterable<Uint8Array>,
  { maxBytes }: CollectOptions,
): Promise<Buffer> {
  const parts = new ByteParts();
  for await (const part of source) {
    if (parts.byteLength + part.byteLength > maxBytes) {
      throw new ProvisioningError("STREAM_INVALID_DATA", `the response is longer than ${maxBytes} bytes`, {
        details: { maxBytes },
      });
    }
    parts.add(part);
  }
  return parts.take();
}
