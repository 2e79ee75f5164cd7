import { fieldOf, parseJson, textOf } from "@holdfast/core/portable";
import type { TransportResponse } from "./transport.ts";

/** Maximum size of the body of an error, in bytes. */
const MAX_BYTES = 65_536;

/** Returns the code in the body of an error response. Returns `undefined` for any other body, and for one that cannot be read. */
export async function readErrorCode({ body }: TransportResponse): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  try {
    for await (const part of body) {
      size += part.byteLength;
      if (size > MAX_BYTES) return undefined;
      text += decoder.decode(part, { stream: true });
    }
  } catch {
    return undefined;
  }
  return textOf(fieldOf(parseJson(text), "error"), "code");
}
