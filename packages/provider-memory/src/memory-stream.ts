import { EventChannel, whenAborted, type Clock, type SourceEvent } from "@holdfast/core";

export interface MemoryStreamOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** Called whenever the stream is closed for any reason; again if it is closed again. */
  readonly onClose: (stream: MemoryStream) => void;
}

/**
 * One running watch: its unread events, and the timer of its heartbeat. It must be created before its signal aborts.
 */
export class MemoryStream {
  readonly events: EventChannel<SourceEvent>;
  readonly #options: MemoryStreamOptions;
  readonly #abort: Disposable;
  #timer: Disposable | undefined;

  constructor(options: MemoryStreamOptions) {
    this.#options = options;
    this.events = new EventChannel<SourceEvent>(options.signal, dropNeedlessHeartbeat);
    this.#abort = whenAborted(options.signal, () => this.close());
  }

  /** Emits an event; a heartbeat follows after `heartbeatMs` without another one. Must not be called after `close`. */
  push(event: SourceEvent): void {
    this.events.push(event);
    this.silence();
    const { clock, heartbeatMs } = this.#options;
    this.#timer = clock.schedule(heartbeatMs, () => this.push({ type: "heartbeat" }));
  }

  /** Stops the heartbeat until the next event is pushed. */
  silence(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  close(failure?: { readonly error: unknown }): void {
    this.silence();
    this.#abort[Symbol.dispose]();
    this.events.close(failure);
    this.#options.onClose(this);
  }
}

/** For a slow consumer, a heartbeat next to another event is redundant. All snapshots are kept. */
function dropNeedlessHeartbeat(last: SourceEvent, next: SourceEvent): SourceEvent | undefined {
  if (next.type === "heartbeat") return last;
  if (last.type === "heartbeat") return next;
  return undefined;
}
