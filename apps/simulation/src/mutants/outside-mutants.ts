import type { Mutant } from "./mutant.ts";

/** Bugs that a third-party adapter or store may have. */
export const OUTSIDE_MUTANTS: readonly Mutant[] = [
  {
    name: "rollback-published",
    bug: "an adapter yields a snapshot that is older than the last one",
    file: "apps/simulation/src/world/connection.ts",
    find: "return this.#index !== undefined && index < this.#index;",
    replace: "return this.#index !== undefined && index < 0;",
  },
  {
    name: "save-lost",
    bug: "a store acknowledges a save and writes nothing",
    file: "apps/simulation/src/world/sim-disk.ts",
    find: "    disk.write(text);\n",
    replace: "    disk.version++;\n",
  },
];
