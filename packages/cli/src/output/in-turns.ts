import type { Clock } from "@holdfast/core";

/** Yields the pieces, then `end`, and yields to the event loop after each piece. */
export async function* inTurns(
  pieces: Iterable<string>,
  end: string,
  clock: Clock,
): AsyncGenerator<string, void> {
  let held: string | undefined;
  for (const piece of pieces) {
    if (held !== undefined) {
      yield held;
      await clock.yield();
    }
    held = piece;
  }
  yield (held ?? "") + end;
}
