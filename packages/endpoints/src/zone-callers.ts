import type { TopologySource } from "@holdfast/core";
import type { ZoneOptions } from "./endpoints-options.ts";
import { zoneOf } from "./selection/zone-factors.ts";

/** Counts the callers in each zone, from numbers or from the topology of the calling service. */
export class ZoneCallers {
  readonly #source: TopologySource | undefined;
  #counts: ReadonlyMap<string, number> | undefined;
  #counted: unknown;

  constructor(callers: ZoneOptions["callers"]) {
    if (callers === undefined) return;
    if (isSource(callers)) this.#source = callers;
    else this.#counts = new Map(Object.entries(callers));
  }

  onChange(listener: () => void): () => void {
    return this.#source?.onEvent(listener) ?? (() => undefined);
  }

  /** The same map until the members change; `undefined` when nothing is known. */
  get counts(): ReadonlyMap<string, number> | undefined {
    const members = this.#source?.state.snapshot?.members;
    if (members === undefined || members === this.#counted) return this.#counts;
    this.#counted = members;
    const counts = new Map<string, number>();
    for (const node of members) counts.set(zoneOf(node), (counts.get(zoneOf(node)) ?? 0) + 1);
    this.#counts = counts;
    return counts;
  }
}

function isSource(callers: NonNullable<ZoneOptions["callers"]>): callers is TopologySource {
  return typeof callers["onEvent"] === "function";
}
