import type {
  ProvisioningError,
  TopologyNotice,
  LeaseTick,
  PartitionPort,
  PlacementPort,
  Awaitable,
  CallOptions,
  RemoteTopologyEvent,
  RemotingPort,
  SnapshotTick,
} from "@holdfast/core";

type Argument = SnapshotTick | LeaseTick | TopologyNotice | readonly RemoteTopologyEvent[];

export interface RecordedCall {
  readonly name: string;
  readonly seqNo: number;
  readonly argument: Argument;
  readonly options: CallOptions;
}

/** Three ports that record their calls, and then do what `behave` determines: succeed, wait, or fail. */
export class RecordingPorts {
  readonly started: RecordedCall[] = [];
  readonly acknowledged: RecordedCall[] = [];
  readonly errors: ProvisioningError[] = [];
  behave: (call: RecordedCall) => Awaitable<void> = () => undefined;

  readonly partition: PartitionPort = {
    applySnapshot: (tick, options) => this.#record("partition.applySnapshot", tick.seqNo, tick, options),
    publishLeases: (tick, options) => this.#record("partition.publishLeases", tick.seqNo, tick, options),
    notify: (notice, options) => this.#record("partition.notify", notice.seqNo, notice, options),
  };
  readonly placement: PlacementPort = {
    applySnapshot: async (tick, options) => {
      await this.#record("placement.applySnapshot", tick.seqNo, tick, options);
      return [...tick.snapshot.members].map(({ id }) => ({ resource: `shard of ${id}`, nodeId: id }));
    },
    notify: (notice, options) => this.#record("placement.notify", notice.seqNo, notice, options),
  };
  readonly remoting: RemotingPort = {
    applyEvents: (events, options) =>
      this.#record("remoting.applyEvents", events[0]?.seqNo ?? 0, events, options),
    notify: (notice, options) => this.#record("remoting.notify", notice.seqNo, notice, options),
  };

  /** Returns the calls acknowledged since the last `take`, in the form `port.call seqNo`. */
  take(): readonly string[] {
    return this.acknowledged.splice(0).map(({ name, seqNo }) => `${name} ${seqNo}`);
  }

  /** Returns the remote events acknowledged since the last `take`, in the form `kind nodeId`. */
  takeEvents(): readonly string[] {
    return this.acknowledged.splice(0).flatMap(({ argument }) => toEventNames(argument));
  }

  #record(name: string, seqNo: number, argument: Argument, options: CallOptions): Awaitable<void> {
    const call = { name, seqNo, argument, options };
    this.started.push(call);
    const result = this.behave(call);
    if (result === undefined) return void this.acknowledged.push(call);
    return Promise.resolve(result).then(() => void this.acknowledged.push(call));
  }
}

export function toEventNames(argument: Argument): readonly string[] {
  if (!isEvents(argument)) return [];
  return argument.map(({ kind, node }) => `${kind} ${node.id}@${node.host.slice("10.0.0.".length)}`);
}

export function isEvents(argument: Argument): argument is readonly RemoteTopologyEvent[] {
  return Array.isArray(argument);
}
