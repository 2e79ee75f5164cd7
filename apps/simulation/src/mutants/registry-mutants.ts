import type { Mutant } from "./mutant.ts";

const REGISTRY = "packages/registry/src/provider-registry.ts";

export const REGISTRY_MUTANTS: readonly Mutant[] = [
  {
    name: "in-force-before-saved",
    says: "a new set is in force although its save failed",
    file: REGISTRY,
    find: "        await this.#save(next);",
    replace: "        this.#putInForce(next);\n        await this.#save(next);",
  },
  {
    name: "not-saved-again",
    says: "what a failed save has written all the same stays on the disk",
    file: REGISTRY,
    find: 'if (isProvisioningError(error) && error.code === "STORE_IO") await this.#saveAgain(current);',
    replace: "",
  },
  {
    name: "reload-half-applied",
    says: "what passes of a set comes into force though others of it are refused",
    file: "packages/registry/src/admission.ts",
    find: "if (failures.length > 0) throw toFailuresError(failures);",
    replace: "if (failures.length > 1) throw toFailuresError(failures);",
  },
  {
    name: "doubt-not-saved",
    says: "a reload that changes nothing leaves a store in doubt as it is",
    file: REGISTRY,
    find: "if (isSameSet(current, next) && !this.#mayStoreDiffer) return current;",
    replace: "if (isSameSet(current, next)) return current;",
  },
  {
    name: "probe-waited-for",
    says: "a probe that hangs holds up every change of the set",
    file: "packages/registry/src/connectivity.ts",
    find: "await untilAborted(provider.probe({ signal: deadline.signal }), deadline.signal);",
    replace: "await provider.probe({ signal: deadline.signal });",
  },
  {
    name: "replaced-not-disposed",
    says: "an instance whose provider is replaced is never disposed of",
    file: REGISTRY,
    find: "this.#instances.startForRest(before ?? [], next);",
    replace: "",
  },
  {
    name: "refused-not-disposed",
    says: "an instance that was made for a refused change is never disposed of",
    file: "packages/registry/src/admission.ts",
    find: "if (registered !== undefined) this.#options.disposal.startForRest([registered], []);",
    replace: "",
  },
];
