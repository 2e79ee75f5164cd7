import {
  DEFAULT_TOPOLOGY,
  isDescriptorInput,
  type AnyProviderAdapter,
  type ProviderDescriptorInput,
} from "@holdfast/core";
import type { DiscoveryDefinition, DiscoveryOptions, TopologyDefinition } from "holdfast";
import type { Backends } from "./backends.ts";
import { toSource } from "./discovery-sources.ts";
import { isFields, type Fields } from "./fields.ts";
import { readOutline } from "./outline.ts";
import { toDescriptors, type ProviderEntries } from "./provider-entries.ts";
import { resolveSettings } from "./topology-settings.ts";

export interface Topologies {
  /** In the order of the file. */
  readonly topologies: readonly TopologyDefinition[];
  /** Topologies that are not named in the file, but found in backends. */
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
  const settingsOf = (own: Fields) => ({ ...resolveSettings(file, own), retainedEvents });
  const define = (name: string, at: readonly string[], own: Fields, entries?: ProviderEntries) => ({
    name,
    at,
    required: own["required"] !== false,
    providers: entries && toDescriptors(entries, backends).filter(isDescriptorInput),
    ...settingsOf(own),
  });
  const isShort = providers !== undefined || (topologies === undefined && discover.length === 0);
  return {
    topologies: [
      ...(isShort ? [define(DEFAULT_TOPOLOGY, [], {}, providers)] : []),
      ...(topologies ?? []).map(({ name, fields, providers: entries }) =>
        define(name, ["topologies", name], fields, entries),
      ),
    ],
    discoveries: discover.map(({ from, topology, providers: templates, fields }, index) => ({
      at: ["discover", index],
      sources: from.flatMap((entry) => toSource(entry, { backends, adapters }) ?? []),
      topology,
      providers: toTemplates(templates, backends),
      ...readPresence(fields),
      settings: { ...settingsOf(fields), required: fields["required"] === true },
    })),
  };
}

/** Returns descriptors whose texts may contain placeholders. */
function toTemplates(entries: ProviderEntries, backends: Backends): readonly ProviderDescriptorInput[] {
  return toDescriptors(entries, backends).filter(isTemplate);
}

function isTemplate(descriptor: unknown): descriptor is ProviderDescriptorInput {
  // The id may be a template, which is not a valid id. The check has filled it in.
  return isFields(descriptor) && isDescriptorInput({ ...descriptor, id: "template" });
}

/** Returns when a service that is no longer listed disappears. */
function readPresence({ removeAfterMs, massRemoval }: Fields): DiscoveryOptions {
  return {
    ...(typeof removeAfterMs === "number" && { removeAfterMs }),
    ...(massRemoval === false && { massRemoval }),
    ...(isFields(massRemoval) && { massRemoval }),
  };
}
