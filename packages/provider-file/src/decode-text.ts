import { InvalidTopologyError, toFileProblem } from "./invalid-topology-error.ts";

/** Decodes UTF-8 and removes a byte order mark. Throws `InvalidTopologyError`. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidTopologyError([toFileProblem("UTF-8 text", "other bytes")]);
  }
}
