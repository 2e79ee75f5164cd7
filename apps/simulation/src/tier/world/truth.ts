import { createClusterNode, MemberSet, type Clock, type ClusterNodeInput } from "@holdfast/core";

/** The id of the node that is always a member. Its port is the version. */
export const VERSION_NODE = "version";

interface Period {
  readonly version: number;
  /** When it ceased to be true, in monotonic milliseconds. */
  endedAt: number;
}

/** What the cluster really is. Each change has a version. */
export class Truth {
  readonly #clock: Clock;
  readonly #periods: Period[] = [{ version: 1, endedAt: Number.POSITIVE_INFINITY }];
  #nodes: readonly string[] = ["c", "d", "e"];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get version(): number {
    return this.#periods.length;
  }

  get members(): readonly ClusterNodeInput[] {
    const others = this.#nodes.map((id) => ({ id, host: `${id}.test`, port: 80 }));
    return [{ id: VERSION_NODE, host: "version.test", port: this.version }, ...others];
  }

  get memberSet(): MemberSet {
    return MemberSet.from(this.members.map(createClusterNode));
  }

  change(nodes: readonly string[]): void {
    this.#periods.at(-1)!.endedAt = this.#clock.monotonic();
    this.#nodes = nodes;
    this.#periods.push({ version: this.version + 1, endedAt: Number.POSITIVE_INFINITY });
  }

  /** When the version ceased to be true, in monotonic milliseconds; Infinity while it is. */
  endOf(version: number): number {
    return this.#periods[version - 1]?.endedAt ?? Number.NEGATIVE_INFINITY;
  }
}

export function versionOf(members: MemberSet | undefined): number | undefined {
  return members?.get(VERSION_NODE)?.port;
}
