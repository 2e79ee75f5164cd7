import { sleep, whenAborted, type Clock, type Random } from "@holdfast/core";
import type { ApiSource } from "../access/api-client.ts";
import type { WatchTarget } from "../access/watch-target.ts";
import { isOlderVersion } from "../watch/is-older-version.ts";
import { Reflector } from "../watch/reflector.ts";
import type { ReflectorStep } from "../watch/reflector-step.ts";
import { longestGapMs } from "../watch/watch-pace.ts";
import type { WatchPosition } from "../watch/watch-position.ts";
import { KeptContent } from "./kept-content.ts";
import { ObjectCache, type ObjectForm } from "./object-cache.ts";
import type { ObjectView } from "./object-view.ts";
import { SharedContent } from "./shared-content.ts";
import { WatchUser, type WatchNews } from "./watch-user.ts";

export interface SharedWatchOptions {
  readonly target: WatchTarget;
  readonly client: ApiSource;
  readonly form: ObjectForm;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether several providers may follow, so that their attempts after a failure must be separated by pauses. */
  readonly isShared: () => boolean;
}

export interface FollowOptions {
  readonly view: ObjectView;
  /** The longest time between two news while the server is alive, in milliseconds. */
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}

/** One list and watch, from its start to its failure or to the end of its last user. */
interface Run {
  readonly stop: AbortController;
  readonly content: SharedContent;
  readonly reflector: Reflector;
  /** Resolves when it is over. */
  readonly done: Promise<void>;
  /** The longest time between two confirmations that all users accept, in milliseconds. */
  heartbeatMs: number;
}

/**
 * One list and watch for all users of a target. It starts with the first user and ends with the last one. An error ends it, and is
 * delivered to every user. The first user that follows again starts the next attempt, which the others join; after a failure, the
 * attempts of many users are separated by pauses. The content is kept in the meantime, so an attempt needs no list if the server
 * still has the version that was reached.
 */
export class SharedWatch {
  readonly #options: SharedWatchOptions;
  readonly #kept: KeptContent;
  #run: Run | undefined;
  /** The number of attempts since the content was last current. */
  #failures = 0;
  /** When the next attempt may start, in milliseconds of the monotonic clock. */
  #nextAt = Number.NEGATIVE_INFINITY;
  #losses = 0;
  /** What the last run had when it was last current. */
  #last: { readonly position: WatchPosition; readonly count: number } | undefined;

  constructor(options: SharedWatchOptions) {
    this.#options = options;
    this.#kept = new KeptContent(options.clock);
  }

  /**
   * How often the server was found to have lost its data: it listed an older version than before, or nothing at all, or the
   * credentials now refer to another server.
   */
  get losses(): number {
    return this.#losses;
  }

  /**
   * Yields once the view has the current content, and then whenever its content may have changed or the server has vouched for it.
   * Ends without an error when the signal aborts, and throws the error of the watch, or of the view.
   */
  async *follow({ view, heartbeatMs, signal }: FollowOptions): AsyncGenerator<WatchNews, void> {
    const user = new WatchUser({ view, heartbeatMs, clock: this.#options.clock, signal });
    const run = (this.#run ??= this.#start(heartbeatMs));
    const leave = () => this.#leave(run, user);
    using _ = whenAborted(signal, leave);
    try {
      void run.content.join(user, run.heartbeatMs);
      if (heartbeatMs < run.heartbeatMs) {
        run.heartbeatMs = heartbeatMs;
        run.reflector.renew();
      }
      yield* user.news;
    } finally {
      leave();
      // With the last user the list and watch ends, and leaves nothing behind.
      if (run.stop.signal.aborted) await run.done;
    }
  }

  #start(heartbeatMs: number): Run {
    const { target, client, form, clock, random } = this.#options;
    const stop = new AbortController();
    const { signal } = stop;
    const kept = this.#kept.take();
    const cache = kept?.cache ?? new ObjectCache(form);
    const content = new SharedContent({ cache, clock, signal });
    const reflector = new Reflector({
      target,
      client,
      clock,
      random,
      heartbeatMs: () => run.heartbeatMs,
      resumeAt: kept?.position,
      signal,
    });
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const run: Run = { stop, content, reflector, done, heartbeatMs };
    void this.#work(run, cache).then(resolve);
    return run;
  }

  async #work(run: Run, cache: ObjectCache): Promise<void> {
    const { stop, content, reflector } = run;
    try {
      await this.#waitForTurn(stop.signal);
      for await (const step of reflector.steps()) {
        if (step.type === "listed") this.#compare(step);
        await content.take(step);
        this.#record(step, cache);
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      const position = reflector.resumableAfter(error);
      if (position !== undefined) this.#kept.keep({ cache, position });
      this.#fail(run, error);
    }
  }

  /** Waits until the pause after the last failure is over. The attempts of a single user are paced by that user. */
  async #waitForTurn(signal: AbortSignal): Promise<void> {
    const { clock, isShared } = this.#options;
    const waitMs = this.#nextAt - clock.monotonic();
    if (waitMs > 0 && isShared()) await sleep(waitMs, { clock, signal });
  }

  /** Compares a new list with what the server had before. */
  #compare({ position, keys }: Extract<ReflectorStep, { readonly type: "listed" }>): void {
    const last = this.#last;
    if (last === undefined) return;
    const isElsewhere = position.place !== last.position.place;
    const isOlder = isOlderVersion(position.version, last.position.version) === true;
    if (isElsewhere || isOlder || (keys.size === 0 && last.count > 0)) this.#losses++;
  }

  #record(step: ReflectorStep, cache: ObjectCache): void {
    if (step.type === "page" || step.type === "expired") return;
    if (step.type !== "events") this.#failures = 0;
    // Events before the content is confirmed do not prove what the server has.
    if (this.#failures === 0) this.#last = { position: step.position, count: cache.count };
  }

  #fail(run: Run, error: unknown): void {
    const { clock, random } = this.#options;
    this.#failures++;
    this.#nextAt = clock.monotonic() + random() * longestGapMs(this.#failures, run.heartbeatMs);
    if (this.#run === run) this.#run = undefined;
    run.content.failAll(error);
  }

  #leave(run: Run, user: WatchUser): void {
    run.content.leave(user);
    if (!run.content.users().next().done) return;
    run.stop.abort();
    if (this.#run === run) this.#run = undefined;
  }
}
