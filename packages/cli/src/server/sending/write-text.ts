import type { Clock } from "@holdfast/core";
import type { ResponseWriter } from "./response-writer.ts";

/**
 * Writes text that is created lazily, piece by piece at the pace of the client, and yields to the event loop after each piece. Returns
 * false when the client has gone.
 */
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
