import type { Clock } from "@holdfast/core";
import type { WatchPosition } from "../watch/watch-position.ts";
import type { ObjectCache } from "./object-cache.ts";

/**
 * The maximum time since the last confirmation by the server, in milliseconds. Older content is not used, and the next watch starts
 * with a list.
 */
const REMEMBERED_MS = 300_000;

/** The content of a watch that failed, and how far it had come. */
export interface ResumableContent {
  readonly cache: ObjectCache;
  readonly position: WatchPosition;
}

/** Keeps the content of a failed watch for the next one. Content is passed on and never shared. */
export class KeptContent {
  readonly #clock: Clock;
  #content: ResumableContent | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  keep(content: ResumableContent): void {
    this.#content = content;
  }

  /** Returns the content that the next watch may use, and forgets it. */
  take(): ResumableContent | undefined {
    const content = this.#content;
    this.#content = undefined;
    if (content === undefined) return undefined;
    const ageMs = this.#clock.monotonic() - content.position.confirmedAt;
    return ageMs <= REMEMBERED_MS ? content : undefined;
  }
}
