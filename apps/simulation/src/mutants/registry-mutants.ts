import type { Mutant } from "./mutant.ts";

const REGISTRY = "packages/registry/src/provider-registry.ts";

export const REGISTRY_MUTANTS: readonly Mutant[] = [
  {
    name: "in-force-before-saved",
    bug: "a new set is in force although its save failed",
    file: REGISTRY,
    find: "      await this.#save(next);",
    replace: "      this.#putInForce(next);\n      await this.#save(next);",
  },
  {
    name: "not-saved-again",
    bug: "content that a failed save has written stays on the disk",
    file: REGISTRY,
    find: 'if (isProvisioningError(error) && error.code === "STORE_IO") await this.#saveAgain(current);',
    replace: "",
  },
  {
    name: "reload-half-applied",
    bug: "the valid part of a set comes into force although another part is refused",
    file: "packages/registry/src/admission.ts",
    find: "if (failures.length > 0) throw toFailuresError(failures);",
    replace: "if (failures.length > 1) throw toFailuresError(failures);",
  },
  {
    name: "differing-store-not-saved",
    bug: "a reload that changes nothing does not correct a store that may differ",
    file: REGISTRY,
    find: "const isSaved = isSame && !this.#mayStoreDiffer;",
    replace: "const isSaved = isSame;",
  },
  {
    name: "probe-waited-for",
    bug: "a probe that hangs blocks every change of the set",
    file: "packages/registry/src/connectivity.ts",
    find: "await untilAborted(provider.probe({ signal: deadline.signal }), deadline.signal);",
    replace: "await provider.probe({ signal: deadline.signal });",
  },
  {
    name: "replaced-not-disposed",
    bug: "an instance whose provider is replaced is never disposed of",
    file: REGISTRY,
    find: "this.#instances.startForRest(before ?? [], next);",
    replace: "",
  },
  {
    name: "refused-not-disposed",
    bug: "an instance that was created for a refused change is never disposed of",
    file: "packages/registry/src/admission.ts",
    find: "if (registered !== undefined) this.#options.disposal.startForRest([registered], []);",
    replace: "",
  },
];
