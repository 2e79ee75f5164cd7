import { isDeepStrictEqual } from "node:util";
import { compareDescriptors, type ProviderDescriptor } from "@holdfast/core";
import type { RegisteredProvider } from "./registered-provider.ts";

/** Sorted by preference: highest priority first, then by id. */
export type ProviderSet = readonly RegisteredProvider[];

export function toProviderSet(providers: readonly RegisteredProvider[]): ProviderSet {
  return Object.freeze(providers.toSorted((a, b) => compareDescriptors(a.descriptor, b.descriptor)));
}

/** True when both sets hold the same objects in the same order. */
export function isSameSet(a: ProviderSet, b: ProviderSet): boolean {
  return a.length === b.length && a.every((registered, index) => registered === b[index]);
}

/** The descriptor as it was submitted: without `disabled`, which the registry adds. */
export function toDefinition(descriptor: ProviderDescriptor): Omit<ProviderDescriptor, "disabled"> {
  const { disabled: _, ...definition } = descriptor;
  return definition;
}

export function isSameDefinition(a: ProviderDescriptor, b: ProviderDescriptor): boolean {
  return a.id === b.id && isDeepStrictEqual(toDefinition(a), toDefinition(b));
}
