import type { Clock } from "@holdfast/core";
import type { ResponseWriter } from "./response-writer.ts";

/** Writes one by one as the client takes them; false when it has gone. */
export async function writePieces(writer: ResponseWriter, pieces: Iterable<Uint8Array>): Promise<boolean> {
  for (const piece of pieces) if (!(await writer.write(piece))) return false;
  return true;
}

/** As `writePieces`, for text that is made as it is taken: gives way to the event loop after each piece. */
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
