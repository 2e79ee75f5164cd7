import {
  ProvisioningError,
  type AnyProviderAdapter,
  type ProviderDescriptorInput,
  type ProviderId,
  type ProviderSpec,
} from "@holdfast/core";

/**
 * Creates one adapter for each kind. Throws `VALIDATION_DUPLICATE_ID` when two different adapters have the same kind.
 */
export function toAdapters(
  specs: Iterable<Pick<ProviderSpec, "kind" | "createAdapter">>,
): readonly AnyProviderAdapter[] {
  const adapters = new Map<string, { readonly create: unknown; readonly adapter: AnyProviderAdapter }>();
  for (const { kind, createAdapter } of specs) {
    const known = adapters.get(kind);
    if (known === undefined) adapters.set(kind, { create: createAdapter, adapter: createAdapter() });
    else if (known.create !== createAdapter) {
      const message = `two different adapters have the kind "${kind}"; give one of them another kind`;
      throw new ProvisioningError("VALIDATION_DUPLICATE_ID", message, { details: { kind } });
    }
  }
  return [...adapters.values()].map(({ adapter }) => adapter);
}

/** Converts a list of providers to descriptors, in the same order. The first provider of the list gets the highest priority. */
export function toDescriptors(specs: readonly ProviderSpec[]): readonly ProviderDescriptorInput[] {
  const taken = new Set(specs.flatMap(({ id }) => id ?? []));
  return specs.map(({ id, kind, params }, index): ProviderDescriptorInput => ({
    id: id ?? nextId(kind, taken),
    kind,
    priority: specs.length - index,
    params: { ...params },
  }));
}

/** Returns `consul`, then `consul-2`, `consul-3`, ... */
function nextId(kind: string, taken: Set<ProviderId>): ProviderId {
  let id = kind;
  for (let number = 2; taken.has(id); number++) id = `${kind}-${number}`;
  taken.add(id);
  return id;
}
