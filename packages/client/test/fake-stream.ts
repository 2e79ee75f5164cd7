import type { Clock, EventChannel, TopologyEvent } from "@holdfast/core";
import type { WatchHub } from "@holdfast/hub";
import { toEventFrame, toStateFrame, toViaFrame } from "./fake-frames.ts";

export interface FakeStreamOptions {
  readonly body: EventChannel<Uint8Array>;
  readonly hub: WatchHub;
  readonly clock: Clock;
  readonly keepAliveMs: number;
  readonly instance: string | undefined;
  readonly write: (frame: string) => void;
  readonly onClosed: () => void;
}

export interface FakeStreamStart {
  /** The events that follow the position of the client; undefined when the state is needed. */
  readonly missed: readonly TopologyEvent[] | undefined;
  /** The hash of the content that the client has. */
  readonly have: string | null;
}

/** One connection to a `FakeServer`. */
export class FakeStream {
  readonly body: EventChannel<Uint8Array>;
  readonly #options: FakeStreamOptions;
  #unsubscribe: () => void = () => undefined;
  #timer: Disposable | undefined;
  #sentVia: string | undefined;
  #isClosed = false;

  constructor(options: FakeStreamOptions) {
    this.#options = options;
    this.body = options.body;
  }

  begin({ missed, have }: FakeStreamStart): void {
    const { hub } = this.#options;
    this.#write("retry: 2000\n\n");
    if (missed === undefined) this.#write(toStateFrame(hub, have));
    else {
      for (const event of missed) this.#write(toEventFrame(event));
      this.#write(": up to date\n\n");
    }
    this.#unsubscribe = hub.onEvent((event) => this.#write(toEventFrame(event)));
  }

  close(failure?: { readonly error: unknown }): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    this.#unsubscribe();
    this.body.close(failure);
    this.#options.onClosed();
  }

  /** The chain of daemons precedes all that came through it. */
  #write(frame: string): void {
    const { hub, instance, write, clock, keepAliveMs } = this.#options;
    const via = instance && toViaFrame([instance, ...(hub.state.snapshot?.via ?? [])]);
    if (via !== undefined && via !== this.#sentVia) write(via);
    this.#sentVia = via;
    write(frame);
    this.#timer?.[Symbol.dispose]();
    this.#timer = clock.schedule(keepAliveMs, () => this.#write(": nothing new\n\n"));
  }
}
