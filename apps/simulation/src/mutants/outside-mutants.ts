import type { Mutant } from "./mutant.ts";

/** What an adapter or a store of somebody else's may get wrong. */
export const OUTSIDE_MUTANTS: readonly Mutant[] = [
  {
    name: "rollback-published",
    says: "an adapter hands on an answer that is older than the last",
    file: "apps/simulation/src/world/connection.ts",
    find: "return this.#index !== undefined && index < this.#index;",
    replace: "return this.#index !== undefined && index < 0;",
  },
  {
    name: "save-lost",
    says: "a store acknowledges a save and writes nothing",
    file: "apps/simulation/src/world/sim-disk.ts",
    find: "    disk.write(text);\n",
    replace: "    disk.version++;\n",
  },
];
