import { EventEmitter, getEventListeners } from "node:events";

export interface ListenerCount {
  /** The number of listeners on all event emitters that still exist. */
  readonly onEmitters: number;
  /** The number of `abort` listeners on all abort signals (and other event targets) that still exist. */
  readonly onSignals: number;
  /** The largest number of listeners on one emitter or target. */
  readonly most: number;
}

type Target = EventEmitter | EventTarget;

/**
 * Counts the listeners of this process. After its creation it records, in weak references, each emitter and target that
 * gets a listener. For this it wraps the methods that all emitters and targets inherit.
 */
export class ListenerCensus implements Disposable {
  readonly #known = new WeakSet<Target>();
  readonly #restore: (() => void)[] = [];
  #targets: WeakRef<Target>[] = [];

  constructor() {
    const record = (target: Target) => this.#record(target);
    for (const name of ["on", "addListener", "prependListener"] as const) {
      const original = EventEmitter.prototype[name];
      EventEmitter.prototype[name] = function (...args) {
        record(this);
        return original.apply(this, args);
      };
      this.#restore.push(() => (EventEmitter.prototype[name] = original));
    }
    // oxlint-disable-next-line typescript/unbound-method -- called with its `this` below
    const original = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (...args) {
      record(this);
      original.apply(this, args);
    };
    this.#restore.push(() => (EventTarget.prototype.addEventListener = original));
  }

  /** Restores the original methods. */
  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }

  /**
   * Counts the listeners. Exact after a garbage collection; before one, it also counts objects that are unreachable.
   */
  count(): ListenerCount {
    let onEmitters = 0;
    let onSignals = 0;
    let most = 0;
    const remaining: WeakRef<Target>[] = [];
    for (const reference of this.#targets) {
      const target = reference.deref();
      if (target === undefined) continue;
      remaining.push(reference);
      const count = countOf(target);
      if (target instanceof EventEmitter) onEmitters += count;
      else onSignals += count;
      most = Math.max(most, count);
    }
    this.#targets = remaining;
    return { onEmitters, onSignals, most };
  }

  #record(target: Target): void {
    if (this.#known.has(target)) return;
    this.#known.add(target);
    this.#targets.push(new WeakRef(target));
  }
}

function countOf(target: Target): number {
  if (!(target instanceof EventEmitter)) return getEventListeners(target, "abort").length;
  return target.eventNames().reduce((sum, name) => sum + target.listenerCount(name), 0);
}
