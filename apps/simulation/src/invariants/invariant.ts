import type { Observer } from "../world/observer.ts";
import type { World } from "../world/world.ts";
import type { KnownGoodModel } from "./known-good-model.ts";
import type { PortModel } from "./port-model.ts";

/** A condition that holds throughout a run. It observes the run and reports violations. */
export interface Invariant extends Observer {
  /** The name in reports of failing seeds. */
  readonly name: string;
  /** The requirements it checks. */
  readonly requirements: string;
}

/** The context of an invariant in a run. */
export interface InvariantContext {
  readonly world: World;
  /** The content that each life may serve from the disk. Updated before the invariants are called. */
  readonly knownGood: KnownGoodModel;
  /** The reasons for which each port may be given up. Updated before the invariants are called. */
  readonly ports: PortModel;
  /** The first report of a run is its result. */
  readonly report: (message: string) => void;
}

export type CreateInvariant = (context: InvariantContext) => Invariant;
