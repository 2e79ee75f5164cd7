import { SerialQueue, type Clock } from "@holdfast/core";
import type { WatchEvent } from "../access/api-client.ts";
import type { ReflectorStep } from "../watch/reflector-step.ts";
import { NO_POSITION, type WatchPosition } from "../watch/watch-position.ts";
import type { ObjectCache } from "./object-cache.ts";
import type { ObjectChange } from "./object-change.ts";
import type { WatchUser } from "./watch-user.ts";

export interface SharedContentOptions {
  readonly cache: ObjectCache;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The number of users that get content in one turn of the event loop. */
const USERS_PER_TURN = 50;

/**
 * Passes the steps of one reflector to the views of all users. A change costs only the users of its group. Views are changed one after
 * the other, and a user whose view throws an error gets that error and leaves the others alone.
 */
export class SharedContent {
  readonly #options: SharedContentOptions;
  /** The users by the group of their view. */
  readonly #users = new Map<string, Set<WatchUser>>();
  readonly #turn = new SerialQueue();
  #position = NO_POSITION;
  #isCurrent = false;

  constructor(options: SharedContentOptions) {
    this.#options = options;
  }

  /** All users, in no particular order. */
  *users(): Generator<WatchUser> {
    for (const group of this.#users.values()) yield* group;
  }

  /**
   * Adds a user. The user gets the content at once if the server vouched for it in the last `maxAgeMs`, otherwise when it does so next.
   */
  async join(user: WatchUser, maxAgeMs: number): Promise<void> {
    const { group } = user.view;
    let users = this.#users.get(group);
    if (users === undefined) this.#users.set(group, (users = new Set()));
    users.add(user);
    await this.#turn.run(async () => {
      const ageMs = this.#options.clock.monotonic() - this.#position.confirmedAt;
      if (this.#isCurrent && ageMs <= maxAgeMs && !user.isSynced) await this.#sync(user);
    });
  }

  /** Removes a user, which then gets nothing more. */
  leave(user: WatchUser): void {
    user.end();
    this.#remove(user);
  }

  /** Delivers an error to all users and removes them. */
  failAll(error: unknown): void {
    for (const user of this.users()) user.fail(error);
    this.#users.clear();
  }

  /** Processes a step. Resolves when all views have it. */
  take(step: ReflectorStep): Promise<void> {
    return this.#turn.run(() => this.#take(step));
  }

  async #take(step: ReflectorStep): Promise<void> {
    const { cache } = this.#options;
    switch (step.type) {
      case "page":
        for (const { key, object } of step.objects)
          for (const change of cache.put(key, object)) this.#prepare(change);
        return;
      case "listed":
        cache.retain(step.keys);
        return await this.#syncAll(step.position);
      case "resumed":
        return await this.#syncAll(step.position);
      case "events":
        this.#position = step.position;
        return this.#takeEvents(step.events);
      case "confirmed":
        return await this.#confirm(step.position);
      case "expired":
        this.#isCurrent = false;
        return;
    }
  }

  #prepare(change: ObjectChange): void {
    for (const user of this.#users.get(change.group) ?? []) {
      this.#attempt(user, () => user.view.prepare(change));
    }
  }

  #takeEvents(events: readonly WatchEvent[]): void {
    const { cache, clock } = this.#options;
    const now = clock.monotonic();
    const changed = new Set<WatchUser>();
    for (const event of events) {
      if (event.type === "bookmark") continue;
      const { key } = event;
      const changes = event.type === "put" ? cache.put(key, event.object) : cache.delete(key);
      // Content that is not current is given to the users when it is.
      if (!this.#isCurrent) continue;
      for (const change of changes) {
        for (const user of this.#users.get(change.group) ?? []) {
          if (user.isSynced && this.#attempt(user, () => user.view.apply(change, now))) changed.add(user);
        }
      }
    }
    for (const user of changed) this.#report(user, false);
  }

  async #confirm(position: WatchPosition): Promise<void> {
    this.#position = position;
    await this.#forEachUser(async (user) => {
      if (user.isSynced) this.#report(user, true);
      else await this.#sync(user);
    });
  }

  /** Gives all users the content, which is now current. */
  async #syncAll(position: WatchPosition): Promise<void> {
    this.#position = position;
    this.#isCurrent = true;
    await this.#forEachUser((user) => this.#sync(user));
  }

  /** Yields to the event loop now and then, because what users do with the content takes time, too. */
  async #forEachUser(work: (user: WatchUser) => Promise<void>): Promise<void> {
    let done = 0;
    for (const user of this.users()) {
      await work(user);
      if (++done % USERS_PER_TURN === 0) await this.#options.clock.yield();
    }
  }

  async #sync(user: WatchUser): Promise<void> {
    const { cache, clock, signal } = this.#options;
    const { view } = user;
    if (user.signal.aborted) return;
    try {
      await view.sync(cache.group(view.group), { clock, signal });
      user.isSynced = true;
      this.#report(user, true);
    } catch (error) {
      this.#drop(user, error);
    }
  }

  #report(user: WatchUser, isAlive: boolean): void {
    user.report({ isAlive, position: this.#position });
  }

  /** Returns whether the work succeeded. */
  #attempt(user: WatchUser, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#drop(user, error);
      return false;
    }
  }

  /** Removes a user whose view cannot be used, and delivers the error to it. */
  #drop(user: WatchUser, error: unknown): void {
    user.fail(error);
    this.#remove(user);
  }

  #remove(user: WatchUser): void {
    const { group } = user.view;
    const users = this.#users.get(group);
    if (users?.delete(user) === true && users.size === 0) this.#users.delete(group);
  }
}
