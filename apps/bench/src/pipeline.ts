import { OwnershipLane, RemotingBridge } from "@holdfast/bridges";
import {
  type RemotingPort,
  createSnapshot,
  EventChannel,
  systemClock,
  type ClusterProvider,
  type MemberSet,
  type ProviderCapabilities,
  type ProviderDescriptor,
  type SourceEvent,
  type ProviderId,
  type TopologyEvent,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";

/** A provider with nothing behind it: what it is given goes straight out, so that only our own path is measured. */
export class DirectProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #channels = new Set<EventChannel<SourceEvent>>();
  #members: MemberSet;

  constructor(id: ProviderId, priority: number, members: MemberSet) {
    this.descriptor = { id, kind: "direct", priority, params: {} };
    this.#members = members;
  }

  get members(): MemberSet {
    return this.#members;
  }

  publish(members: MemberSet): void {
    this.#members = members;
    for (const channel of this.#channels) channel.push(this.#event());
  }

  end(): void {
    for (const channel of this.#channels) channel.push({ type: "ended" });
  }

  probe(): Promise<void> {
    return Promise.resolve();
  }

  watch({ signal }: { readonly signal: AbortSignal }): AsyncIterable<SourceEvent> {
    const channel = new EventChannel<SourceEvent>(signal);
    this.#channels.add(channel);
    channel.push(this.#event());
    return channel;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #event(): SourceEvent {
    const providerId = this.descriptor.id;
    return {
      type: "snapshot",
      snapshot: createSnapshot({ providerId, members: this.#members, observedAt: Date.now() }),
    };
  }
}

const notify = () => undefined;

/** Everything from fail-over to the three ports, with ports that only count. */
export class Pipeline implements AsyncDisposable {
  readonly hub: WatchHub;
  readonly #failover: Failover;
  readonly #lanes: readonly AsyncDisposable[];
  readonly #waiting = new Set<() => void>();
  #placementAt = 0;
  #partitionAt = 0;
  #remotingAt = 0;
  /** Events Remoting got. */
  remoteEvents = 0;

  constructor(providers: readonly ClusterProvider[]) {
    const clock = systemClock;
    const random = Math.random;
    this.#failover = new Failover({ providers, clock, random });
    this.hub = new WatchHub({ source: this.#failover, clock, random });
    const source = this.hub;
    const remoting: RemotingPort = {
      notify,
      applyEvents: (events) => {
        this.remoteEvents += events.length;
        this.#remotingAt = events.at(-1)?.seqNo ?? 0;
        this.#settle();
      },
    };
    this.#lanes = [
      new OwnershipLane({
        source,
        clock,
        random,
        placement: {
          notify,
          applySnapshot: ({ seqNo }) => {
            this.#placementAt = seqNo;
            this.#settle();
          },
        },
        partition: {
          notify,
          publishLeases: notify,
          applySnapshot: ({ seqNo }) => {
            this.#partitionAt = seqNo;
          },
        },
      }),
      new RemotingBridge({ source, port: remoting, blocks: this.hub, clock, random }),
    ];
  }

  start(): void {
    this.hub.start();
  }

  onEvent(listener: (event: TopologyEvent) => void): () => void {
    return this.hub.onEvent(listener);
  }

  /** Resolves when all three ports have what `isDone` asks for; the ports are looked at after each of their calls. */
  async until(isDone: (pipeline: Pipeline) => boolean): Promise<void> {
    while (!isDone(this)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await promise;
    }
  }

  /** Placement and Partition have a snapshot newer than this. */
  isOwnershipAfter(seqNo: number): boolean {
    return this.#placementAt > seqNo && this.#partitionAt > seqNo;
  }

  isRemotingAfter(seqNo: number): boolean {
    return this.#remotingAt > seqNo;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lane of this.#lanes) await lane[Symbol.asyncDispose]();
    await this.hub[Symbol.asyncDispose]();
    await this.#failover[Symbol.asyncDispose]();
  }

  #settle(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
