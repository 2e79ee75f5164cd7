import type { Clock, EventChannel, TopologyName, TopologyState } from "@holdfast/core";
import type { WatchHub } from "@holdfast/hub";
import { toEventFrame, toGoneFrame, toStateFrame, toViaFrame } from "./fake-frames.ts";
import type { FakeRequest, FakeTopic } from "./fake-request.ts";

export interface FakeConnectionOptions {
  readonly body: EventChannel<Uint8Array>;
  readonly request: FakeRequest;
  readonly find: (name: TopologyName) => WatchHub | undefined;
  readonly clock: Clock;
  readonly keepAliveMs: number;
  readonly instance: string | undefined;
  /** The state of a hub, which may be a moment old. */
  readonly stateOf: (hub: WatchHub) => TopologyState;
  readonly write: (frame: string) => void;
  readonly onClosed: () => void;
}

interface Followed {
  readonly hub: WatchHub;
  readonly unsubscribe: () => void;
  sentVia: string | undefined;
}

/** One connection to a `FakeServer`: a stream of one topology or of several. */
export class FakeConnection {
  readonly body: EventChannel<Uint8Array>;
  readonly #options: FakeConnectionOptions;
  readonly #followed = new Map<TopologyName, Followed>();
  #timer: Disposable | undefined;
  #isClosed = false;

  constructor(options: FakeConnectionOptions) {
    this.#options = options;
    this.body = options.body;
  }

  begin(): void {
    const { topics } = this.#options.request;
    this.#write("retry: 2000\n\n");
    for (const topic of topics) this.#follow(topic);
    if (topics.some(({ position }) => position !== undefined)) this.#write(": up to date\n\n");
  }

  /** The topologies of the daemon have changed. */
  update(): void {
    const { find, request } = this.#options;
    for (const { name } of request.topics) {
      const followed = this.#followed.get(name);
      if (followed !== undefined && followed.hub === find(name)) continue;
      followed?.unsubscribe();
      this.#followed.delete(name);
      this.#follow({ name });
    }
  }

  close(failure?: { readonly error: unknown }): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    for (const { unsubscribe } of this.#followed.values()) unsubscribe();
    this.body.close(failure);
    this.#options.onClosed();
  }

  #follow({ name, position, have }: FakeTopic): void {
    const { find, request } = this.#options;
    const hub = find(name);
    if (hub === undefined) return this.#write(toGoneFrame(name));
    const named = request.isNamed ? name : undefined;
    const unsubscribe = hub.onEvent((event) => this.#send(name, toEventFrame(event, named)));
    this.#followed.set(name, { hub, unsubscribe, sentVia: undefined });
    let missed = position && hub.eventsSince(position.epoch, position.seqNo);
    if (missed === undefined) {
      const state = this.#options.stateOf(hub);
      this.#send(name, toStateFrame(state, { name: named, have }));
      missed = hub.eventsSince(state.epoch, state.seqNo);
    }
    for (const event of missed ?? []) this.#send(name, toEventFrame(event, named));
    this.#sendVia(name);
  }

  #send(name: TopologyName, frame: string): void {
    this.#sendVia(name);
    this.#write(frame);
  }

  /** The chain of daemons precedes all that came through it. */
  #sendVia(name: TopologyName): void {
    const { instance, request } = this.#options;
    const followed = this.#followed.get(name);
    if (instance === undefined || followed === undefined) return;
    const via = [instance, ...(followed.hub.state.snapshot?.via ?? [])];
    const frame = toViaFrame(via, request.isNamed ? name : undefined);
    if (frame === followed.sentVia) return;
    followed.sentVia = frame;
    this.#write(frame);
  }

  #write(frame: string): void {
    const { write, clock, keepAliveMs } = this.#options;
    write(frame);
    this.#timer?.[Symbol.dispose]();
    this.#timer = clock.schedule(keepAliveMs, () => {
      for (const name of this.#followed.keys()) this.#sendVia(name);
      this.#write(": nothing new\n\n");
    });
  }
}
