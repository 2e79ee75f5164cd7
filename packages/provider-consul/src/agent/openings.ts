import {
  createBackoff,
  isProvisioningError,
  throwIfAborted,
  untilAborted,
  type Backoff,
  type Clock,
  type ErrorCode,
  type ProvisioningError,
  type Random,
} from "@holdfast/core";

export interface OpeningsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The number of openings that may run at the same time. */
  readonly limit: number;
}

interface Waiting {
  readonly turn: PromiseWithResolvers<void>;
  isAdmitted: boolean;
}

/** The failures that every other request to the same agent would have, too. */
const OF_THE_AGENT: ReadonlySet<ErrorCode> = new Set([
  "CONNECTIVITY_TIMEOUT",
  "CONNECTIVITY_TLS",
  "CONNECTIVITY_NO_LEADER",
  "CONNECTIVITY_OVERLOADED",
]);

/** The upper limit of the pause between two openings while the agent fails, in milliseconds. It doubles up to the second one. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Runs the openings of watches and the probes: the requests that a provider sends before it knows whether the agent works.
 * A limited number runs at the same time, so a thousand providers do not start in one burst. When an opening shows that
 * the agent itself fails, all that wait fail with the same error. After that one opening at a time runs, after a random
 * pause, and the others wait for its result, until the agent responds to any request.
 */
export class Openings {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #waiting = new Set<Waiting>();
  #limit: number;
  #running = 0;
  /** The number of responses, to any request. */
  #answers = 0;
  /** While the agent fails: the time from which the next opening may run. */
  #retryAt: number | undefined;
  #timer: Disposable | undefined;

  constructor({ clock, random, limit }: OpeningsOptions) {
    this.#clock = clock;
    this.#limit = limit;
    this.#backoff = createBackoff({ initialMs: FIRST_PAUSE_MS, maxMs: LONGEST_PAUSE_MS, random });
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  /** Call this for every response of the agent to any request, because it shows that the agent works. */
  answered(): void {
    this.#answers++;
    if (this.#retryAt === undefined) return;
    this.#retryAt = undefined;
    this.#backoff.reset();
    this.#admit();
  }

  /** Rejects as `open` does, with the failure of another opening, or when `signal` aborts. */
  async run<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    const answers = this.#answers;
    const retryAt = this.#retryAt;
    try {
      const result = await open();
      this.answered();
      return result;
    } catch (error) {
      // An agent that has responded to other requests in the meantime works. If another opening has failed in the meantime, this
      // failure is not a new one.
      const isNew = this.#answers === answers && this.#retryAt === retryAt;
      if (!signal.aborted && isNew && isOfTheAgent(error)) this.#fail(error);
      throw error;
    } finally {
      this.#running--;
      this.#admit();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const waiting: Waiting = { turn: Promise.withResolvers(), isAdmitted: false };
    this.#waiting.add(waiting);
    this.#admit();
    try {
      await untilAborted(waiting.turn.promise, signal);
    } catch (error) {
      this.#waiting.delete(waiting);
      if (waiting.isAdmitted) this.#running--;
      this.#admit();
      throw error;
    }
  }

  #fail(error: ProvisioningError): void {
    this.#retryAt = this.#clock.monotonic() + this.#backoff.nextMs();
    for (const { turn } of this.#waiting) turn.reject(error);
    this.#waiting.clear();
  }

  #admit(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    for (const waiting of this.#waiting) {
      if (this.#running >= (this.#retryAt === undefined ? this.#limit : 1)) return;
      const pauseMs = (this.#retryAt ?? 0) - this.#clock.monotonic();
      if (this.#retryAt !== undefined && pauseMs > 0) {
        this.#timer = this.#clock.schedule(pauseMs, () => this.#admit());
        return;
      }
      this.#waiting.delete(waiting);
      this.#running++;
      waiting.isAdmitted = true;
      waiting.turn.resolve();
    }
  }
}

function isOfTheAgent(error: unknown): error is ProvisioningError {
  if (!isProvisioningError(error)) return false;
  // With a status, the agent responded: it has no route to the datacenter.
  if (error.code === "CONNECTIVITY_REFUSED") return error.details["status"] === undefined;
  return OF_THE_AGENT.has(error.code);
}
