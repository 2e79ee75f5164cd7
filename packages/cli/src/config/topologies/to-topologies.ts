import {
  DEFAULT_TOPOLOGY,
  isDescriptorInput,
  type AnyProviderAdapter,
  type FoundService,
} from "@holdfast/core";
import type { TopologyDefinition } from "holdfast";
import type { Backends } from "./backends.ts";
import { toSource, type DiscoverySource } from "./discovery-sources.ts";
import { isFields, type Fields } from "./fields.ts";
import { readOutline, type DiscoveryOutline } from "./outline.ts";
import { toDescriptors, type ProviderEntries } from "./provider-entries.ts";
import { fillTemplate } from "./template.ts";
import { resolveSettings, type TopologySettings } from "./topology-settings.ts";

/** Topologies that are not named in the configuration, but found in backends. */
export interface DiscoveryDefinition {
  readonly sources: readonly DiscoverySource[];
  /** The template of the names. */
  readonly topology: string;
  /** The providers of every topology, with templates in place of texts. */
  readonly providers: readonly ProviderTemplate[];
  readonly settings: TopologySettings;
  /** Fills in the templates for a service. The name may be invalid, because it depends on what the backend lists. */
  toTopology(found: FoundService): { readonly name: string; readonly providers: readonly unknown[] };
}

/** A descriptor in which any text may contain placeholders. */
export interface ProviderTemplate {
  readonly id: string;
  readonly kind: string;
  readonly priority: number;
  readonly params: Fields;
}

export interface Topologies {
  /** In the order of the file. */
  readonly topologies: readonly TopologyDefinition[];
  readonly discoveries: readonly DiscoveryDefinition[];
}

export interface ToTopologiesOptions {
  readonly adapters: readonly AnyProviderAdapter[];
  /** The number of events that each topology keeps. */
  readonly retainedEvents: number;
}

/**
 * Converts a configuration to its topologies. `input` must have passed `createConfigSchema` and `checkTopologies`. A file with
 * neither `topologies` nor `discover`, or with `providers`, has the topology `default`.
 */
export function toTopologies(input: unknown, { adapters, retainedEvents }: ToTopologiesOptions): Topologies {
  const file = isFields(input) ? input : {};
  const { backends, providers, topologies, discover } = readOutline(input);
  const define = (name: string, at: readonly string[], own: Fields, entries?: ProviderEntries) => ({
    name,
    at,
    required: own["required"] !== false,
    providers: entries && toDescriptors(entries, backends).filter(isDescriptorInput),
    ...resolveSettings(file, own),
    retainedEvents,
  });
  const isShort = providers !== undefined || (topologies === undefined && discover.length === 0);
  return {
    topologies: [
      ...(isShort ? [define(DEFAULT_TOPOLOGY, [], {}, providers)] : []),
      ...(topologies ?? []).map(({ name, fields, providers: entries }) =>
        define(name, ["topologies", name], fields, entries),
      ),
    ],
    discoveries: discover.map((discovery) => ({
      sources: discovery.from.flatMap((entry) => toSource(entry, { backends, adapters }) ?? []),
      topology: discovery.topology,
      providers: toDescriptors(discovery.providers, backends).filter(isTemplate),
      settings: resolveSettings(file, discovery.fields),
      toTopology: (found) => toFoundTopology(found, discovery, backends),
    })),
  };
}

function toFoundTopology(
  { name, values }: FoundService,
  { topology, providers }: DiscoveryOutline,
  backends: Backends,
): ReturnType<DiscoveryDefinition["toTopology"]> {
  const all = { ...values, service: name };
  const entries = providers.map((template) => fillTemplate(template, all));
  return { name: String(fillTemplate(topology, all)), providers: toDescriptors(entries, backends) };
}

function isTemplate(descriptor: unknown): descriptor is ProviderTemplate {
  // The check of the configuration has filled in the templates.
  return isFields(descriptor) && typeof descriptor["id"] === "string";
}
