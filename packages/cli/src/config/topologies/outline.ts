import { readBackends, type Backends } from "./backends.ts";
import { isFields, type Fields } from "./fields.ts";
import type { ProviderEntries } from "./provider-entries.ts";

/** One entry of `topologies`. */
export interface TopologyOutline {
  readonly name: string;
  /** Absent when the topology has no list of its own: the stored providers are used. */
  readonly providers: ProviderEntries | undefined;
  readonly fields: Fields;
}

/** One entry of `discover`. */
export interface DiscoveryOutline {
  readonly from: readonly unknown[];
  /** The template of the names. */
  readonly topology: string;
  /** Templates. */
  readonly providers: ProviderEntries;
  readonly fields: Fields;
}

/** What a configuration says about its topologies. Parts of the wrong form are left out; the schema reports them. */
export interface Outline {
  readonly backends: Backends;
  /** The list at the top of the file. */
  readonly providers: ProviderEntries | undefined;
  /** Undefined when the file has no such field. */
  readonly topologies: readonly TopologyOutline[] | undefined;
  readonly discover: readonly DiscoveryOutline[];
}

const DEFAULT_NAME = "{service}";

export function readOutline(input: unknown): Outline {
  const file = toFields(input);
  const { topologies } = file;
  return {
    backends: readBackends(toFields(file["backends"])),
    providers: toList(file["providers"]),
    topologies:
      topologies === undefined
        ? undefined
        : Object.entries(toFields(topologies)).map(([name, topology]) => {
            const fields = toFields(topology);
            return { name, providers: toList(fields["providers"]), fields };
          }),
    discover: (toList(file["discover"]) ?? []).map((entry) => {
      const fields = toFields(entry);
      const { topology = DEFAULT_NAME } = fields;
      return {
        from: toList(fields["from"]) ?? [],
        topology: typeof topology === "string" ? topology : DEFAULT_NAME,
        providers: toList(fields["providers"]) ?? [],
        fields,
      };
    }),
  };
}

function toFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function toList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}
