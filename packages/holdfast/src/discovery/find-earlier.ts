import { isDeepStrictEqual } from "node:util";
import type { DiscoveryDefinition } from "./discovery-definition.ts";

interface Defined {
  readonly definition: DiscoveryDefinition;
}

/**
 * Returns for each definition the discovery whose services it takes over at a reload: one with an equal definition, else one that shares a
 * source with it, else the one at the same place of the list. Each discovery is returned at most once. So a discovery that has moved, because
 * another one was put before it or removed, keeps its services and does not get those of another one.
 */
export function findEarlier<D extends Defined>(
  before: readonly D[],
  definitions: readonly DiscoveryDefinition[],
): readonly (D | undefined)[] {
  const found: (D | undefined)[] = definitions.map(() => undefined);
  const left = new Set(before);
  const rules: readonly ((definition: DiscoveryDefinition, earlier: D, index: number) => boolean)[] = [
    (definition, earlier) => isDeepStrictEqual(unplaced(earlier.definition), unplaced(definition)),
    (definition, earlier) => sharesSource(earlier.definition, definition),
    (_, earlier, index) => before[index] === earlier,
  ];
  for (const isEarlier of rules) {
    for (const [index, definition] of definitions.entries()) {
      if (found[index] !== undefined) continue;
      found[index] = [...left].find((earlier) => isEarlier(definition, earlier, index));
      if (found[index] !== undefined) left.delete(found[index]);
    }
  }
  return found;
}

function unplaced({ at: _at, ...definition }: DiscoveryDefinition): DiscoveryDefinition {
  return definition;
}

function sharesSource(a: DiscoveryDefinition, b: DiscoveryDefinition): boolean {
  return a.sources.some((source) => b.sources.some((other) => isDeepStrictEqual(source, other)));
}
