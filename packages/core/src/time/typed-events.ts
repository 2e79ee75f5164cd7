import mitt, { type Emitter, type Handler } from "mitt";
import { callIsolated } from "./call-isolated.ts";

export type Unsubscribe = () => void;

/** Events whose listeners cannot affect each other or the emitter by throwing. */
export interface TypedEvents<Events extends Record<string, unknown>> {
  /**
   * Listeners run in the order in which they subscribed. The same function may subscribe more than once. A listener
   * that is unsubscribed during an emit is not called for that event any more.
   */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => unknown): Unsubscribe;
  emit<K extends keyof Events>(type: K, event: Events[K]): void;
  /** Removes every listener. */
  clear(): void;
}

/**
 * `onListenerError` receives the error that a listener threw, or that its returned promise rejected with. It must not
 * throw.
 */
export function createTypedEvents<Events extends Record<string, unknown>>(
  onListenerError: (error: unknown, type: keyof Events) => void,
): TypedEvents<Events> {
  const emitter: Emitter<Events> = mitt<Events>();
  // mitt iterates over a copy of its list, so a listener removed in the meantime would still be called.
  const subscribed = new Set<unknown>();
  return {
    on(type, listener) {
      const isolated: Handler<Events[typeof type]> = (event) => {
        if (!subscribed.has(isolated)) return;
        callIsolated(
          () => listener(event),
          (error) => onListenerError(error, type),
        );
      };
      subscribed.add(isolated);
      emitter.on(type, isolated);
      return () => {
        subscribed.delete(isolated);
        emitter.off(type, isolated);
      };
    },
    emit: (type, event) => emitter.emit(type, event),
    clear() {
      subscribed.clear();
      emitter.all.clear();
    },
  };
}
