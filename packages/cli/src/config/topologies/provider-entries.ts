import type { Backends } from "./backends.ts";
import { isFields, type Fields } from "./fields.ts";

/** A list of providers as written in a configuration: by a backend, or in the long form. */
export type ProviderEntries = readonly unknown[];

/** An entry that names a backend: its own parameters are merged over those of the backend. */
export interface BackendEntry extends Fields {
  readonly backend: unknown;
}

/**
 * Converts entries to descriptors, in the same order. Without a `priority` in the list, its order is the order of preference. The
 * default id of an entry with a backend is the name of the backend, then `NAME-2`, `NAME-3`, and so on. What is malformed stays so,
 * for the validator to report.
 */
export function toDescriptors(entries: ProviderEntries, backends: Backends): readonly unknown[] {
  const taken = new Set(entries.flatMap((entry) => (isFields(entry) ? [entry["id"]] : [])));
  const nextId = (name: string): string => {
    let id = name;
    for (let number = 2; taken.has(id); number++) id = `${name}-${number}`;
    taken.add(id);
    return id;
  };
  return entries.map((entry, index) => {
    if (!isFields(entry)) return entry;
    const { priority = entries.length - index } = entry;
    if (!isBackendEntry(entry)) return { ...entry, priority };
    const { backend: name, id = nextId(nameOf(entry)), priority: _, ...own } = entry;
    const backend = typeof name === "string" ? backends.get(name) : undefined;
    return { id, kind: backend?.kind ?? UNKNOWN, priority, params: { ...backend?.params, ...own } };
  });
}

/** Any text: the kind of an entry whose backend is not known is not checked. */
const UNKNOWN = "unknown";

export function isBackendEntry(entry: unknown): entry is BackendEntry {
  return isFields(entry) && Object.hasOwn(entry, "backend");
}

/** The name of the backend, or an empty text, which no backend has as its name, if it is not a text. */
export function backendNameOf({ backend }: BackendEntry): string {
  return typeof backend === "string" ? backend : "";
}

/** The parameters that an entry with a backend has itself. */
export function ownParamsOf(entry: BackendEntry): Fields {
  const { backend: _backend, id: _id, priority: _priority, ...own } = entry;
  return own;
}

function nameOf({ backend }: BackendEntry): string {
  return typeof backend === "string" ? backend : UNKNOWN;
}
