import { EventChannel, whenAborted, type Clock, type SourceEvent } from "@holdfast/core";

export interface MemoryStreamOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** Called when the stream is over for whatever reason; again when it is closed again. */
  readonly onClose: (stream: MemoryStream) => void;
}

/** One running watch: what it still has to tell, and the timer of its heartbeat. Opened before its signal aborts. */
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

  /** A heartbeat follows after `heartbeatMs` without another event. Not to be called once it is closed. */
  push(event: SourceEvent): void {
    this.events.push(event);
    this.silence();
    const { clock, heartbeatMs } = this.#options;
    this.#timer = clock.schedule(heartbeatMs, () => this.push({ type: "heartbeat" }));
  }

  /** No heartbeat until the next event is pushed. */
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

/** To a consumer that lags behind, a heartbeat next to anything else says nothing. Snapshots are all kept. */
function dropNeedlessHeartbeat(last: SourceEvent, next: SourceEvent): SourceEvent | undefined {
  if (next.type === "heartbeat") return last;
  if (last.type === "heartbeat") return next;
  return undefined;
}
