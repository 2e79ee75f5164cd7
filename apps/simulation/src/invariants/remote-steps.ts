import { RemoteEventFilter } from "@holdfast/bridges";
import type { RemoteTopologyEvent, ClusterNode, ProviderSnapshot, TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const ORDER = { leave: 0, join: 1, blocked: 2, unblocked: 3 } as const;

interface Channel {
  readonly address: string;
  isBlocked: boolean;
}

/**
 * A receiver that applies every step, and drops repeats as documented, ends up with the topology. Each step is
 * justified by a snapshot of the log: no Leave of a current member, no Join of a node that is not one. A key is used
 * once.
 */
export class RemoteSteps implements Invariant {
  readonly name = "remote-steps";
  readonly requirements = "R4.1 R4.2";
  readonly #context: InvariantContext;
  readonly #snapshots = new Map<string, ProviderSnapshot>();
  /** Two providers with the same content have the same hash. */
  readonly #sources = new Map<string, Set<string>>();
  readonly #keys = new Set<string>();
  readonly #channels = new Map<string, Channel>();
  #filter = new RemoteEventFilter();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  /** A new epoch starts with a join of every member. */
  lifeBegan(): void {
    this.#snapshots.clear();
    this.#sources.clear();
    this.#channels.clear();
    this.#filter = new RemoteEventFilter();
  }

  event(event: TopologyEvent): void {
    if (event.kind !== "snapshot") return;
    const { hash, providerId } = event.snapshot;
    this.#snapshots.set(hash, event.snapshot);
    this.#sources.set(hash, (this.#sources.get(hash) ?? new Set()).add(providerId));
  }

  callBegan({ call, life }: PortRecord): void {
    if (call.method !== "applyEvents") return;
    const { report } = this.#context;
    if (call.events.length === 0) report("an empty batch is sent");
    let before: RemoteTopologyEvent | undefined;
    for (const event of call.events) {
      const { key, epoch, seqNo, node, kind } = event;
      if (key !== `${epoch}/${seqNo}/${node.id}/${kind}`) report(`the key ${key} does not match the event`);
      if (epoch !== life.service.topology.epoch) report(`an event of epoch ${epoch}`);
      if (this.#keys.has(key)) report(`the key ${key} is sent again although it was acknowledged`);
      if (before !== undefined && compare(before, event) >= 0) report(`${key} is sent after ${before.key}`);
      before = event;
      const wrong = this.#faultOf(event);
      if (wrong !== undefined) report(`${kind} ${node.id} at ${seqNo}: ${wrong}`);
    }
  }

  callEnded({ call, outcome }: PortRecord): void {
    if (call.method !== "applyEvents") return;
    // A forgetful port has done the work.
    const isDone = outcome === "done" || this.#context.world.ports.remoting.behaviour === "forgetful";
    if (!isDone) return;
    for (const event of call.events) {
      if (outcome === "done") this.#keys.add(event.key);
      if (this.#filter.accept(event)) this.#take(event);
    }
  }

  healed(life: Life): void {
    const { snapshot, status } = life.service.topology.state;
    if (status !== "ready" && status !== "empty") return;
    const expected = describe(
      snapshot?.members.toArray() ?? [],
      (id) => snapshot?.blockedNodes.includes(id) ?? false,
    );
    const actual = [...this.#channels]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { address, isBlocked }]) => `${id}=${address}${isBlocked ? "!" : ""}`)
      .join(" ");
    if (actual !== expected) this.#context.report(`Remoting has ${actual}, the topology ${expected}`);
    for (const { nodeId, state } of life.service.remoteNodes()) {
      const isBlocked = this.#channels.get(nodeId)?.isBlocked === true;
      const isRestoring = life.service.topology.state.restoringNodes.includes(nodeId);
      const due = isRestoring ? "degraded" : isBlocked ? "down" : "up";
      if (state !== due) this.#context.report(`node ${nodeId} is reported as ${state}, but is ${due}`);
    }
  }

  #faultOf({ kind, node, snapshotHash, providerId }: RemoteTopologyEvent): string | undefined {
    const snapshot = this.#snapshots.get(snapshotHash);
    if (snapshot === undefined) return "no snapshot of the log has its hash";
    const is = snapshot.members.get(node.id);
    const isBlocked = snapshot.blockedNodes.includes(node.id);
    if (this.#sources.get(snapshotHash)?.has(providerId) !== true)
      return `its snapshot is not of ${providerId}`;
    if (kind === "leave")
      return is !== undefined && addressOf(is) === addressOf(node) ? "the node is a member" : undefined;
    if (is === undefined) return "the node is not a member";
    if (addressOf(is) !== addressOf(node)) return "the node has another address";
    if (kind === "blocked" && !isBlocked) return "the node is not blocked";
    return kind === "unblocked" && isBlocked ? "the node is blocked" : undefined;
  }

  #take({ kind, node }: RemoteTopologyEvent): void {
    const channel = this.#channels.get(node.id);
    if (kind === "leave") this.#channels.delete(node.id);
    else if (kind === "join")
      this.#channels.set(node.id, { address: addressOf(node), isBlocked: channel?.isBlocked ?? false });
    else if (channel !== undefined) channel.isBlocked = kind === "blocked";
  }
}

function compare(a: RemoteTopologyEvent, b: RemoteTopologyEvent): number {
  if (a.seqNo !== b.seqNo) return a.seqNo - b.seqNo;
  if (a.node.id !== b.node.id) return a.node.id < b.node.id ? -1 : 1;
  return ORDER[a.kind] - ORDER[b.kind];
}

function addressOf({ host, port }: ClusterNode): string {
  return `${host}:${port}`;
}

function describe(nodes: readonly ClusterNode[], isBlocked: (id: string) => boolean): string {
  return nodes.map((node) => `${node.id}=${addressOf(node)}${isBlocked(node.id) ? "!" : ""}`).join(" ");
}
