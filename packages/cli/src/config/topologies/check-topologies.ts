import {
  DEFAULT_TOPOLOGY,
  describeForm,
  formatPath,
  isTopologyName,
  type AnyProviderAdapter,
} from "@holdfast/core";
import { TOPOLOGY_NAME_PATTERN } from "@holdfast/core/adapter";
import { ProviderValidator } from "@holdfast/registry";
import { fillTemplate } from "holdfast";
import type { ConfigProblem } from "../config-problem.ts";
import { checkBackends } from "./check-backends.ts";
import { checkProviders, type CheckContext } from "./check-providers.ts";
import { checkSources, type SourceContext } from "./discovery-sources.ts";
import { isFields, type Fields } from "./fields.ts";
import { readOutline, type DiscoveryOutline, type Outline } from "./outline.ts";
import { backendNameOf, isBackendEntry, type ProviderEntries } from "./provider-entries.ts";
import { toSampleValues } from "./sample-values.ts";
import { findUnknownPlaceholders, type UnknownPlaceholder } from "./unknown-placeholders.ts";

type Path = readonly PropertyKey[];
type Context = CheckContext & SourceContext;

/** Maximum number of entries in all lists of providers and sources of a file together. */
const MAX_ENTRIES = 10_000;

/**
 * Returns every problem of the backends, topologies and discoveries of a configuration, except those that its schema
 * reports. `input` may be anything.
 */
export function checkTopologies(
  input: unknown,
  adapters: readonly AnyProviderAdapter[],
): readonly ConfigProblem[] {
  const outline = readOutline(input);
  const { backends, providers = [], topologies = [], discover } = outline;
  const entries = entriesOf(outline);
  if (entries.length > MAX_ENTRIES) return [toTooMany(entries.length)];
  const context = { backends, adapters, validator: new ProviderValidator({ adapters }) };
  const used = new Set(entries.map((entry) => (isBackendEntry(entry) ? entry.backend : undefined)));
  return distinct([
    ...findReservedNames(input),
    ...findSecondDefault(outline),
    ...findSimilarNames(outline),
    ...checkBackends(used, context),
    ...checkProviders(providers, ["providers"], context),
    ...topologies.flatMap((topology) =>
      checkProviders(topology.providers ?? [], ["topologies", topology.name, "providers"], context),
    ),
    ...discover.flatMap((discovery, index) => checkDiscovery(discovery, ["discover", index], context)),
  ]);
}

function entriesOf({ providers = [], topologies = [], discover }: Outline): readonly unknown[] {
  return [
    ...providers,
    ...topologies.flatMap((topology) => topology.providers ?? []),
    ...discover.flatMap((discovery) => [...discovery.from, ...discovery.providers]),
  ];
}

function toTooMany(count: number): ConfigProblem {
  const expected = `at most ${MAX_ENTRIES} providers and sources`;
  return { path: "", expected, got: String(count), code: "VALIDATION_MALFORMED" };
}

/** Finds entries named `__proto__`, which a schema drops without a problem. */
function findReservedNames(input: unknown): readonly ConfigProblem[] {
  return ["backends", "topologies"].flatMap((field): readonly ConfigProblem[] => {
    const names: unknown = isFields(input) ? input[field] : undefined;
    if (!isFields(names) || !Object.hasOwn(names, "__proto__")) return [];
    const got = describeForm(names["__proto__"]);
    return [
      {
        path: formatPath([field, "__proto__"]),
        expected: "no such field",
        got,
        code: "VALIDATION_MALFORMED",
      },
    ];
  });
}

/** The list at the top of the file defines the topology `default`. */
function findSecondDefault({ providers, topologies = [] }: Outline): readonly ConfigProblem[] {
  if (providers === undefined || !topologies.some(({ name }) => name === DEFAULT_TOPOLOGY)) return [];
  const path = formatPath(["topologies", DEFAULT_TOPOLOGY]);
  const expected = `another name, because the field providers defines the topology "${DEFAULT_TOPOLOGY}"`;
  return [{ path, expected, got: `"${DEFAULT_TOPOLOGY}"`, code: "VALIDATION_DUPLICATE_ID" }];
}

/** Each topology has a folder of its name, and some file systems ignore case. */
function findSimilarNames({ topologies = [] }: Outline): readonly ConfigProblem[] {
  const first = new Map<string, string>();
  return topologies.flatMap(({ name }): readonly ConfigProblem[] => {
    const folded = name.toLowerCase();
    const other = first.get(folded);
    if (!isTopologyName(name) || other === undefined) {
      first.set(folded, name);
      return [];
    }
    const expected = `a name that differs from "${other}" by more than upper and lower case`;
    return [
      {
        path: formatPath(["topologies", name]),
        expected,
        got: `"${name}"`,
        code: "VALIDATION_DUPLICATE_ID",
      },
    ];
  });
}

function checkDiscovery(
  { from, topology, providers, fields }: DiscoveryOutline,
  at: Path,
  context: Context,
): readonly ConfigProblem[] {
  const known = new Set(["service", ...valuesOf(from, context)]);
  const values = toSampleValues(known);
  const unknown = [
    ...findUnknownPlaceholders(topology, known, [...at, "topology"]),
    ...findUnknownPlaceholders(providers, known, [...at, "providers"]),
    ...findBackendPlaceholders(providers, known, context),
  ].map(({ path, name }): ConfigProblem => {
    const expected = [...known].map((each) => `{${each}}`).join(" or ");
    return { path, expected, got: `{${name}}`, code: "VALIDATION_MALFORMED" };
  });
  const paths = new Set(unknown.map(({ path }) => path));
  const samples = providers.map((template) => fillTemplate(template, values));
  const backends = new Map(
    [...context.backends].map(([name, { kind, params }]) => [
      name,
      { kind, params: fillTemplate(params, values) },
    ]),
  );
  const others = [
    ...checkSources(from, [...at, "from"], context),
    ...checkTopologyName(topology, fillTemplate(topology, values), [...at, "topology"]),
    ...checkProviders(samples, [...at, "providers"], { ...context, backends }),
    ...findShortHold(fields, at),
  ];
  return [...unknown, ...others.filter(({ path }) => !paths.has(path))];
}

/** Placeholders in the parameters of a backend that a template names are filled in too. */
function findBackendPlaceholders(
  templates: ProviderEntries,
  known: ReadonlySet<string>,
  { backends }: Context,
): readonly UnknownPlaceholder[] {
  const names = new Set(templates.flatMap((entry) => (isBackendEntry(entry) ? [backendNameOf(entry)] : [])));
  return [...names].flatMap((name) =>
    findUnknownPlaceholders(backends.get(name)?.params, known, ["backends", name]),
  );
}

/** A mass removal may not take effect earlier than an ordinary one. */
function findShortHold({ removeAfterMs, massRemoval }: Fields, at: Path): readonly ConfigProblem[] {
  const holdMs = isFields(massRemoval) ? massRemoval["holdMs"] : undefined;
  if (typeof holdMs !== "number" || typeof removeAfterMs !== "number" || holdMs >= removeAfterMs) return [];
  const path = formatPath([...at, "massRemoval", "holdMs"]);
  const expected = `at least removeAfterMs, ${removeAfterMs}`;
  return [{ path, expected, got: String(holdMs), code: "VALIDATION_MALFORMED" }];
}

/** Returns the names of the values that the services of all sources have. */
function valuesOf(from: readonly unknown[], { backends, adapters }: Context): readonly string[] {
  const lists = from.map((entry) => {
    const backend = isBackendEntry(entry) ? backends.get(backendNameOf(entry)) : undefined;
    return adapters.find(({ kind }) => kind === backend?.kind)?.discovery?.values ?? [];
  });
  const [first = [], ...others] = lists;
  return first.filter((name) => others.every((values) => values.includes(name)));
}

function checkTopologyName(template: string, sample: unknown, at: Path): readonly ConfigProblem[] {
  const problem = (expected: string): readonly ConfigProblem[] => [
    { path: formatPath(at), expected, got: describeForm(template), code: "VALIDATION_MALFORMED" },
  ];
  if (template === sample) return problem("a text with a placeholder such as {service}");
  return isTopologyName(sample)
    ? []
    : problem(`a text that becomes a name matching ${TOPOLOGY_NAME_PATTERN}`);
}

/** One problem of a backend is found once for each entry that uses it. */
function distinct(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const byPlace = new Map(
    problems.map((problem) => [JSON.stringify([problem.path, problem.expected]), problem]),
  );
  return [...byPlace.values()];
}
