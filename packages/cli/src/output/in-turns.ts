import type { Clock } from "@holdfast/core";

/** The pieces one by one with `end` after the last, giving way to the event loop between them. */
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
