import type { Clock } from "@holdfast/core";
import type { ResponseWriter } from "./response-writer.ts";

/** Writes pieces one by one at the pace of the client. Returns false when the client has gone. */
export async function writePieces(writer: ResponseWriter, pieces: Iterable<Uint8Array>): Promise<boolean> {
  for (const piece of pieces) if (!(await writer.write(piece))) return false;
  return true;
}

/** Like `writePieces`, for text that is created lazily. Yields to the event loop after each piece. */
export async function writeText(
  writer: ResponseWriter,
  pieces: Iterable<string>,
  clock: Clock,
): Promise<boolean> {
  for (const piece of pieces) {
    if (!(await writer.write(piece))) return false;
    await clock.yield();
  }
  return true;
}
