import { createReadStream } from "node:fs";
import { ByteParts } from "./byte-parts.ts";

export interface ReadFileOptions {
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The whole content of a file; undefined when it is longer than `maxBytes`. Never reads further, so a device without an end
 * costs no more than a file. Throws what the file system says.
 */
export async function readFileWithin(
  path: string,
  { maxBytes, signal }: ReadFileOptions,
): Promise<Buffer | undefined> {
  const parts = new ByteParts();
  const source: AsyncIterable<Uint8Array> = createReadStream(path, signal && { signal });
  for await (const part of source) {
    if (parts.byteLength + part.byteLength > maxBytes) return undefined;
    parts.add(part);
  }
  return parts.take();
}
