import {
  createClusterNode,
  createSnapshot,
  MemberSet,
  type ClusterNode,
  type ClusterNodeInput,
  type GuardHold,
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
  #holds = 0;

  constructor(clock: VirtualClock = new VirtualClock()) {
    this.clock = clock;
    this.hub = new WatchHub({ source: this.#updates, clock, random: () => 0.5 });
    this.hub.start();
  }

  /** A current snapshot with exactly these members, of which only a guard keeps the `retained` ones. */
  publish(members: Iterable<ClusterNode>, retained: readonly string[] = []): void {
    this.#members = this.#members.replace(members);
    const isHeld = retained.length > 0;
    const hold: GuardHold = {
      guard: "mass_removal",
      providerId: "p",
      nodes: retained.length,
      reason: "a test",
      // Another one each time: every change of a hold is an event.
      until: 1_000 * this.#holds++,
    };
    const snapshot = createSnapshot({
      providerId: "p",
      members: this.#members,
      observedAt: this.clock.now(),
      ...(isHeld && { retained: [...retained].sort() }),
    });
    this.send({ snapshot, isFresh: true, availability: "available", holds: isHeld ? [hold] : [] });
  }

  /** Keeps the members, of which only a guard keeps those with these ids. */
  retain(...retained: readonly string[]): void {
    this.publish(this.#members, retained);
  }

  /** Confirms the last snapshot, which lifts the blocks of restored nodes. */
  confirm(): void {
    this.send({ isFresh: true, availability: "available" });
  }

  send(changes: Partial<Update>): void {
    this.#updates.send(changes);
  }
}
