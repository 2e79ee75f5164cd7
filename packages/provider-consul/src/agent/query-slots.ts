import type { Clock, ProvisioningError } from "@holdfast/core";
import { OwnSlots, type OwnSlot } from "./own-slots.ts";
import { TurnQueue, type Rotation, type Turn, type TurnRequest } from "./turn-queue.ts";

/** There is one slot for turns for this many blocking queries that belong to one watch, but at least `FEWEST_OTHERS`. */
const OWN_PER_OTHER = 8;
/** With fewer, the requests of a few services that do not get a response would delay those of all others. */
const FEWEST_OTHERS = 4;

/** Returns the number of slots for turns in addition to `maxBlockingQueries`, and of other requests at the same time. */
export function countOthers(maxBlockingQueries: number): number {
  return Math.max(Math.ceil(maxBlockingQueries / OWN_PER_OTHER), FEWEST_OTHERS);
}

/**
 * Divides the blocking queries that one agent permits between the watches. Up to `maxBlockingQueries` watches have a
 * query of their own. Further watches take turns. When the query of a watch ends, its slot goes to a watch that takes
 * turns and whose content has changed more recently, if there is one.
 */
export class QuerySlots {
  readonly #own: OwnSlots;
  readonly #turns: TurnQueue;
  /** The watches that take turns. */
  readonly #rotating = new Set<SlotUser>();

  constructor(clock: Clock, maxBlockingQueries: number) {
    this.#own = new OwnSlots(clock, maxBlockingQueries);
    this.#turns = new TurnQueue(clock, countOthers(maxBlockingQueries));
  }

  setLimit(maxBlockingQueries: number): void {
    this.#own.setLimit(maxBlockingQueries);
    this.#turns.setLimit(countOthers(maxBlockingQueries));
  }

  /** Adds a watch, which should get a turn in every `everyMs` while it has no query of its own. */
  join(everyMs: number): SlotUser {
    return new SlotUser({ own: this.#own, turns: this.#turns, rotating: this.#rotating, everyMs });
  }

  /** Rejects the turns that wait for this address. Call this when the agent refuses connections. */
  fail(address: string, error: ProvisioningError): void {
    this.#turns.fail(address, error);
  }
}

interface SlotUserOptions {
  readonly own: OwnSlots;
  readonly turns: TurnQueue;
  readonly rotating: Set<SlotUser>;
  readonly everyMs: number;
}

/** The slots of one watch. Dispose of it when the watch ends. */
export class SlotUser implements Disposable {
  readonly #options: SlotUserOptions;
  #changedAt = Number.NEGATIVE_INFINITY;
  /** Present while the watch takes turns. */
  #rotation: Rotation | undefined;

  constructor(options: SlotUserOptions) {
    this.#options = options;
  }

  /** Reports a change of the content. `at` is the time on the monotonic clock. */
  markChanged(at: number): void {
    this.#changedAt = at;
  }

  /** Returns a slot for a query that the agent ends within `maxWaitMs`; `undefined` when the watch has to take turns. */
  takeOwn(maxWaitMs: number): OwnSlot | undefined {
    const { own, rotating } = this.#options;
    const { free } = own;
    if (free === 0) return undefined;
    let before = 0;
    for (const other of rotating) if (other.#changedAt > this.#changedAt) before++;
    if (before >= free) return undefined;
    this.#stopRotation();
    return own.take(maxWaitMs);
  }

  /** Resolves when it is the turn of the watch. */
  takeTurn(request: TurnRequest): Promise<Turn> {
    const { turns, rotating, everyMs } = this.#options;
    this.#rotation ??= turns.join(everyMs);
    rotating.add(this);
    return this.#rotation.take(request);
  }

  [Symbol.dispose](): void {
    this.#stopRotation();
  }

  #stopRotation(): void {
    this.#options.rotating.delete(this);
    this.#rotation?.[Symbol.dispose]();
    this.#rotation = undefined;
  }
}
