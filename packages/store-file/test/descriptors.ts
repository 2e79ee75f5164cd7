import type { ProviderDescriptor } from "@holdfast/core";

export function createDescriptor(
  id: string,
  params: unknown = { path: `/data/${id}.json` },
): ProviderDescriptor {
  return { id, kind: "file", priority: 100, params };
}

export function idsOf(descriptors: readonly ProviderDescriptor[]): readonly string[] {
  return descriptors.map((descriptor) => descriptor.id);
}
