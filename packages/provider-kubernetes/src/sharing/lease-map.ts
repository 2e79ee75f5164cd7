/** The use of a shared value, until it is disposed of. */
export interface Lease<T> extends Disposable {
  readonly value: T;
}

interface Leased<T> {
  readonly value: T;
  users: number;
}

/** Values that several users share by key. A value is created for its first user, and removed when its last one has disposed of it. */
export class LeaseMap<T> {
  readonly #leased = new Map<string, Leased<T>>();
  readonly #onRemove: (value: T) => void;

  /** `onRemove` releases a value that has no user any more. */
  constructor(onRemove: (value: T) => void = () => undefined) {
    this.#onRemove = onRemove;
  }

  /** The number of values. */
  get size(): number {
    return this.#leased.size;
  }

  /** The number of users of a value. */
  countUsers(key: string): number {
    return this.#leased.get(key)?.users ?? 0;
  }

  lease(key: string, create: () => T): Lease<T> {
    let leased = this.#leased.get(key);
    if (leased === undefined) {
      leased = { value: create(), users: 0 };
      this.#leased.set(key, leased);
    }
    const { value } = leased;
    leased.users++;
    let isReleased = false;
    return {
      value,
      [Symbol.dispose]: () => {
        if (isReleased) return;
        isReleased = true;
        if (--leased.users > 0) return;
        this.#leased.delete(key);
        this.#onRemove(value);
      },
    };
  }
}
