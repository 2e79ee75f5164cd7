import { throwIfAborted, untilAborted, type Clock, type ProvisioningError } from "@holdfast/core";

/** A turn: a slot for one blocking query that waits briefly. Dispose of it when the query has ended. */
export interface Turn extends Disposable {
  /** How long the query waits for a change, in milliseconds. */
  readonly waitMs: number;
}

export interface TurnRequest {
  /** The address to which the query is sent. */
  readonly address: string;
  readonly signal: AbortSignal;
}

/** The turns of one watch. Dispose of it when the watch no longer takes turns. */
export interface Rotation extends Disposable {
  /** Resolves when it is the turn of the watch. Rejects when the signal aborts, or with the error of `TurnQueue.fail`. */
  take(request: TurnRequest): Promise<Turn>;
}

/** A watch that takes turns. */
interface Member {
  /** The time in which the watch should get a turn, in milliseconds. */
  readonly everyMs: number;
  /** The virtual time at which the interval of the last turn ends. */
  finish: number;
}

interface Waiting extends TurnRequest {
  readonly member: Member;
  /** The virtual time from which the watch may have the turn, and by which it should have had it. */
  readonly start: number;
  readonly deadline: number;
  readonly turn: PromiseWithResolvers<void>;
  isAdmitted: boolean;
}

/** The shortest wait of a turn, in milliseconds. With too many watches the turns come later, but are not shorter. */
const SHORTEST_WAIT_MS = 10;
/**
 * The longest wait of a turn, as a part of `everyMs`. While there are few watches their turns follow each other without a pause, and
 * further watches should not have to wait long for the first one to end.
 */
const LONGEST_WAIT = 1 / 4;
/** The assumed time that a turn takes in addition to its wait, until turns have been measured, in milliseconds. */
const INITIAL_OVERHEAD_MS = 5;
/** The weight of the last turn in the average overhead. */
const OVERHEAD_WEIGHT = 0.05;

/**
 * Lets watches take turns when there are more of them than slots. The wait of a turn is chosen so that all watches get a
 * turn within their `everyMs`. The order is "earliest eligible virtual deadline first" (Stoica, Abdel-Wahab, 1995):
 * watches with the same `everyMs` take turns in a circle, and one with half of it gets twice as many, evenly spread. So no
 * watch waits without limit, whatever others do.
 */
export class TurnQueue {
  readonly #clock: Clock;
  #limit: number;
  #running = 0;
  readonly #waiting = new Set<Waiting>();
  /** The turns per millisecond that the watches need. */
  #demand = 0;
  /**
   * The virtual time, in milliseconds. Each turn advances it by the time in which one turn should be admitted, so it passes more
   * slowly than real time when there are too many watches.
   */
  #virtualTime = 0;
  #overheadMs = INITIAL_OVERHEAD_MS;

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  /** Adds a watch that should get a turn in every `everyMs`. */
  join(everyMs: number): Rotation {
    const member: Member = { everyMs, finish: this.#virtualTime };
    this.#demand += 1 / everyMs;
    let hasLeft = false;
    return {
      take: (request) => this.#take(member, request),
      [Symbol.dispose]: () => {
        if (!hasLeft) this.#demand -= 1 / everyMs;
        hasLeft = true;
      },
    };
  }

  /** Rejects the turns that wait for this address. */
  fail(address: string, error: ProvisioningError): void {
    for (const waiting of this.#waiting) {
      if (waiting.address !== address) continue;
      this.#waiting.delete(waiting);
      waiting.turn.reject(error);
    }
  }

  async #take(member: Member, request: TurnRequest): Promise<Turn> {
    const { signal } = request;
    throwIfAborted(signal);
    const start = Math.max(this.#virtualTime, member.finish);
    const waiting: Waiting = {
      ...request,
      member,
      start,
      deadline: start + member.everyMs,
      turn: Promise.withResolvers(),
      isAdmitted: false,
    };
    this.#waiting.add(waiting);
    this.#admit();
    try {
      await untilAborted(waiting.turn.promise, signal);
    } catch (error) {
      this.#waiting.delete(waiting);
      if (waiting.isAdmitted) this.#leave();
      throw error;
    }
    return this.#begin(this.#waitMsFor(member));
  }

  #waitMsFor({ everyMs }: Member): number {
    const budgetMs = this.#limit / Math.max(this.#demand, Number.EPSILON) - this.#overheadMs;
    return Math.round(Math.max(Math.min(budgetMs, everyMs * LONGEST_WAIT), SHORTEST_WAIT_MS));
  }

  #begin(waitMs: number): Turn {
    const startedAt = this.#clock.monotonic();
    let isOver = false;
    return {
      waitMs,
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        const overheadMs = this.#clock.monotonic() - startedAt - waitMs;
        // A turn that ended early because of a change shows nothing about the overhead.
        if (overheadMs >= 0) this.#overheadMs += (overheadMs - this.#overheadMs) * OVERHEAD_WEIGHT;
        this.#leave();
      },
    };
  }

  #leave(): void {
    this.#running--;
    this.#admit();
  }

  #admit(): void {
    while (this.#running < this.#limit) {
      const next = this.#findNext();
      if (next === undefined) return;
      this.#waiting.delete(next);
      this.#running++;
      this.#virtualTime = Math.max(this.#virtualTime, next.start) + 1 / this.#demand;
      next.member.finish = next.deadline;
      next.isAdmitted = true;
      next.turn.resolve();
    }
  }

  /** Returns the turn with the earliest deadline of those that may start; if none may start yet, the one that may start first. */
  #findNext(): Waiting | undefined {
    let next: Waiting | undefined;
    for (const waiting of this.#waiting)
      if (next === undefined || this.#isBefore(waiting, next)) next = waiting;
    return next;
  }

  #isBefore(a: Waiting, b: Waiting): boolean {
    const isEligible = a.start <= this.#virtualTime;
    if (isEligible !== b.start <= this.#virtualTime) return isEligible;
    return isEligible ? a.deadline < b.deadline : a.start < b.start;
  }
}
