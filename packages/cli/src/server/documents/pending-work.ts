/** Work in progress by name, which callers that want the same share. */
export class PendingWork<T> {
  readonly #pending: Map<string, Promise<T>> = new Map();

  /** Settles as the work of this name that is in progress, or else as `work` does; without a promise when that returns none. */
  run(name: string, work: () => T | Promise<T>): T | Promise<T> {
    const pending = this.#pending.get(name);
    if (pending !== undefined) return pending;
    const result = work();
    if (!(result instanceof Promise)) return result;
    const shared = result.finally(() => this.#pending.delete(name));
    this.#pending.set(name, shared);
    return shared;
  }
}
