import {
  createClusterNode,
  createSnapshot,
  MemberSet,
  type ClusterNode,
  type ClusterNodeInput,
  type GuardHold,
  type ProviderSnapshot,
  type Update,
} from "@holdfast/core";
import { WatchHub } from "@holdfast/hub";
import { ScriptedUpdates, VirtualClock } from "@holdfast/testing";

/** A node with an address of its own. */
export function node(id: string, fields: Partial<ClusterNodeInput> = {}): ClusterNode {
  return createClusterNode({ id, host: `${id}.test`, port: 80, ...fields });
}

/** `count` nodes with ids such as `n-0007`. */
export function nodes(
  count: number,
  fields: (i: number) => Partial<ClusterNodeInput> = () => ({}),
): ClusterNode[] {
  return Array.from({ length: count }, (_, i) => node(`n-${String(i).padStart(4, "0")}`, fields(i)));
}

/** A real hub whose source is written by the test. */
export class ScriptedTopology {
  readonly clock: VirtualClock;
  readonly hub: WatchHub;
  readonly #updates = new ScriptedUpdates();
  #members: MemberSet = MemberSet.empty;

  constructor(clock: VirtualClock = new VirtualClock()) {
    this.clock = clock;
    this.hub = new WatchHub({ source: this.#updates, clock, random: () => 0.5 });
    this.hub.start();
  }

  /** A current snapshot with exactly these members. */
  publish(members: Iterable<ClusterNode>, parts: Partial<ProviderSnapshot> = {}): void {
    this.#members = this.#members.replace(members);
    this.send({ snapshot: this.#snapshot(parts), isFresh: true, availability: "available" });
  }

  /** Keeps the members, of which only a guard keeps those with these ids. */
  retain(...retained: readonly string[]): void {
    const hold: GuardHold = {
      guard: "mass_removal",
      providerId: "p",
      nodes: retained.length,
      reason: "a test",
      until: 1,
    };
    const snapshot = this.#snapshot(retained.length === 0 ? {} : { retained: [...retained].sort() });
    this.send({
      snapshot,
      isFresh: true,
      availability: "available",
      holds: retained.length === 0 ? [] : [hold],
    });
  }

  /** Confirms the last snapshot, which lifts the blocks of restored nodes. */
  confirm(): void {
    this.send({ isFresh: true, availability: "available" });
  }

  send(changes: Partial<Update>): void {
    this.#updates.send(changes);
  }

  #snapshot(parts: Partial<ProviderSnapshot>): ProviderSnapshot {
    return createSnapshot({
      providerId: "p",
      members: this.#members,
      observedAt: this.clock.now(),
      ...parts,
    });
  }
}
