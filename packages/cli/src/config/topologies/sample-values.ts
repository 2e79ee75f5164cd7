import type { AnyProviderAdapter } from "@holdfast/core";
import type { TemplateValues } from "holdfast";

/** Stands for a text of a service that will be found. It is valid wherever a name is. */
const SAMPLE = "x";

/** Returns a value for each placeholder, so that templates can be checked before a service is found. */
export function toSampleValues(names: Iterable<string>): TemplateValues {
  return Object.fromEntries([...names].map((name) => [name, SAMPLE]));
}

/** Returns the names of all placeholders that any of the adapters has a value for. */
export function listPlaceholders(adapters: readonly AnyProviderAdapter[]): readonly string[] {
  return ["service", ...adapters.flatMap(({ discovery }) => discovery?.values ?? [])];
}
