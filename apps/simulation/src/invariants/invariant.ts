import type { Observer } from "../world/observer.ts";
import type { World } from "../world/world.ts";
import type { KnownGoodModel } from "./known-good-model.ts";
import type { PortModel } from "./port-model.ts";

/** Something that holds throughout a run: it watches, and reports what breaks it. */
export interface Invariant extends Observer {
  /** As a failing seed names it. */
  readonly name: string;
  /** The requirements it stands for. */
  readonly requirements: string;
}

/** What an invariant is given for a run. */
export interface InvariantContext {
  readonly world: World;
  /** What each life may serve from the disk; up to date with the world before any invariant is asked. */
  readonly knownGood: KnownGoodModel;
  /** What each port may be given up for; up to date as `knownGood` is. */
  readonly ports: PortModel;
  /** The first report of a run is its verdict. */
  readonly report: (message: string) => void;
}

export type CreateInvariant = (context: InvariantContext) => Invariant;
