import {
  createClusterNode,
  createSnapshot,
  EventChannel,
  MemberSet,
  ProvisioningError,
  throwIfAborted,
  untilAborted,
  whenAborted,
  type ClusterNodeInput,
  type ClusterProvider,
  type ProbeOptions,
  type SourceEvent,
  type ProviderSnapshot,
  type WatchOptions,
} from "@holdfast/core";
import type { ProviderSetup } from "../src/provider-harness.ts";
import { VirtualClock } from "@holdfast/testing";

const HEARTBEAT_MS = 1_000;

export type TinyChange = "changed" | "broke" | "ended" | "disposed";

/** A minimal backend, and the functions of a provider on it, so that a fault can replace each of them. */
export class Tiny {
  readonly clock: VirtualClock = new VirtualClock();
  readonly listeners: Set<(change: TinyChange) => void> = new Set();
  nodes: readonly ClusterNodeInput[] = [];
  state: "working" | "broken" | "hanging" = "working";
  isDisposed = false;

  emit(change: TinyChange): void {
    for (const listener of this.listeners) listener(change);
  }

  snapshot(members: MemberSet): ProviderSnapshot {
    return createSnapshot({ providerId: "tiny", members, observedAt: this.clock.now() });
  }

  assertUsable(): void {
    if (this.isDisposed) throw new ProvisioningError("LIFECYCLE_STOPPED", "the provider was disposed of");
    if (this.state === "broken") throw new ProvisioningError("CONNECTIVITY_REFUSED", "connection refused");
  }

  async probe({ signal }: ProbeOptions): Promise<void> {
    throwIfAborted(signal);
    if (this.state === "hanging") await untilAborted(Promise.withResolvers<void>().promise, signal);
    this.assertUsable();
  }

  async *watch({ signal }: WatchOptions): AsyncGenerator<SourceEvent, void> {
    if (signal.aborted) return;
    this.assertUsable();
    const channel = new EventChannel<SourceEvent>(signal);
    let members = MemberSet.empty;
    let timer: Disposable | undefined;
    const push = (event: SourceEvent) => {
      channel.push(event);
      timer?.[Symbol.dispose]();
      timer = this.clock.schedule(HEARTBEAT_MS, () => {
        if (this.state === "working") push({ type: "heartbeat" });
      });
    };
    const onChange = (change: TinyChange) => {
      if (change === "changed") {
        members = members.replace(this.nodes.map(createClusterNode));
        push({ type: "snapshot", snapshot: this.snapshot(members) });
      } else if (change === "ended") {
        push({ type: "ended" });
        channel.close();
      } else {
        const code = change === "broke" ? "STREAM_FAILED" : "LIFECYCLE_STOPPED";
        channel.close({ error: new ProvisioningError(code, "the watch is over") });
      }
    };
    const close = () => {
      this.listeners.delete(onChange);
      timer?.[Symbol.dispose]();
    };
    this.listeners.add(onChange);
    using _ = whenAborted(signal, close);
    if (this.state === "working") onChange("changed");
    try {
      yield* channel;
    } finally {
      void channel.return();
      close();
    }
  }

  dispose(): Promise<void> {
    this.isDisposed = true;
    this.emit("disposed");
    return Promise.resolve();
  }
}

/** The functions that a fault replaces. A replacement may call the correct function of `tiny`. */
export interface TinyParts {
  readonly watch?: (options: WatchOptions) => AsyncIterable<SourceEvent>;
  readonly probe?: (options: ProbeOptions) => Promise<void>;
  readonly dispose?: () => Promise<void>;
}

export function createTinySetup(tiny: Tiny, parts: TinyParts = {}): ProviderSetup {
  const provider: ClusterProvider = {
    descriptor: { id: "tiny", kind: "tiny", priority: 0, params: {} },
    capabilities: { watch: true },
    watch: parts.watch ?? ((options) => tiny.watch(options)),
    probe: parts.probe ?? ((options) => tiny.probe(options)),
    [Symbol.asyncDispose]: parts.dispose ?? (() => tiny.dispose()),
  };
  return {
    provider,
    time: tiny.clock,
    heartbeatMs: HEARTBEAT_MS,
    publish(nodes) {
      tiny.nodes = nodes;
      tiny.emit("changed");
    },
    breakBackend() {
      tiny.state = "broken";
      tiny.emit("broke");
    },
    hangBackend() {
      tiny.state = "hanging";
    },
    repairBackend() {
      tiny.state = "working";
    },
    endStream: () => tiny.emit("ended"),
    countOpen: () => tiny.listeners.size + tiny.clock.pendingTimers,
    teardown: () => undefined,
  };
}
