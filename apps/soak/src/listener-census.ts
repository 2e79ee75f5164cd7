import { EventEmitter, getEventListeners } from "node:events";

export interface ListenerCount {
  /** Listeners on all event emitters that are still there. */
  readonly onEmitters: number;
  /** Listeners on all abort signals (and other event targets) that are still there. */
  readonly onSignals: number;
  /** The most on any one of either. */
  readonly most: number;
}

type Target = EventEmitter | EventTarget;

/**
 * Counts the listeners of this process. From its making on it writes down, weakly, everything that is given a listener, by
 * wrapping the methods that all emitters and targets inherit.
 */
export class ListenerCensus implements Disposable {
  readonly #known = new WeakSet<Target>();
  readonly #restore: (() => void)[] = [];
  #targets: WeakRef<Target>[] = [];

  constructor() {
    const note = (target: Target) => this.#note(target);
    for (const name of ["on", "addListener", "prependListener"] as const) {
      const original = EventEmitter.prototype[name];
      EventEmitter.prototype[name] = function (...args) {
        note(this);
        return original.apply(this, args);
      };
      this.#restore.push(() => (EventEmitter.prototype[name] = original));
    }
    // oxlint-disable-next-line typescript/unbound-method -- called with its `this` below
    const original = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (...args) {
      note(this);
      original.apply(this, args);
    };
    this.#restore.push(() => (EventTarget.prototype.addEventListener = original));
  }

  /** Takes the wrapping off again. */
  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }

  /** Exact after a collection of garbage: before it, what nobody holds any more counts too. */
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

  #note(target: Target): void {
    if (this.#known.has(target)) return;
    this.#known.add(target);
    this.#targets.push(new WeakRef(target));
  }
}

function countOf(target: Target): number {
  if (!(target instanceof EventEmitter)) return getEventListeners(target, "abort").length;
  return target.eventNames().reduce((sum, name) => sum + target.listenerCount(name), 0);
}
