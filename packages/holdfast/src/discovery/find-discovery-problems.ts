import {
  describeForm,
  formatPath,
  isProvisioningError,
  toReason,
  toValidationProblems,
  type AnyProviderAdapter,
} from "@holdfast/core";
import { ProviderValidator, toHealthPolicy, type DescriptorProblem } from "@holdfast/provisioning";
import type { DiscoveryDefinition, DiscoverySource } from "./discovery-definition.ts";
import { DEFAULT_NAME_TEMPLATE } from "./found-definitions.ts";
import { fillTemplate, placeholdersOf } from "./fill-template.ts";
import { toPresencePolicy } from "./presence-policy.ts";

type Path = readonly PropertyKey[];

/**
 * Returns every problem of a discovery that can be found before a service is: of its sources, of its options, and of its templates, which
 * are tried with a sample service.
 */
export function findDiscoveryProblems(
  definition: DiscoveryDefinition,
  at: Path,
  adapters: readonly AnyProviderAdapter[],
): readonly DescriptorProblem[] {
  const { sources, providers, topology = DEFAULT_NAME_TEMPLATE } = definition;
  const values = new Set([
    "service",
    ...sources.flatMap(({ kind }) => findDiscovery(adapters, kind)?.values ?? []),
  ]);
  const sample = Object.fromEntries([...values].map((name) => [name, "service"]));
  const validator = new ProviderValidator({ adapters });
  // A placeholder that no source has a value for stays, and is reported with a clearer message.
  const checks = validator.checkAll(fillTemplate(providers, sample), [...at, "providers"]);
  return [
    ...(sources.length === 0 ? [toProblem([...at, "from"], "at least 1 entries", sources)] : []),
    ...sources.flatMap((source, index) => findSourceProblems(source, [...at, "from", index], adapters)),
    ...(providers.length === 0 ? [toProblem([...at, "providers"], "at least 1 entries", providers)] : []),
    ...findUnknownPlaceholders(topology, values, [...at, "topology"]),
    ...findUnknownPlaceholders(providers, values, [...at, "providers"]),
    ...(placeholdersOf(topology).size === 0
      ? [toProblem([...at, "topology"], "a text with a placeholder such as {service}", topology)]
      : []),
    ...checks.flatMap(({ problems }) => problems),
    ...findOptionProblems(definition, at),
  ];
}

function findDiscovery(
  adapters: readonly AnyProviderAdapter[],
  kind: string,
): AnyProviderAdapter["discovery"] {
  return adapters.find((adapter) => adapter.kind === kind)?.discovery;
}

function findSourceProblems(
  { kind, params }: DiscoverySource,
  at: Path,
  adapters: readonly AnyProviderAdapter[],
): readonly DescriptorProblem[] {
  const discovery = findDiscovery(adapters, kind);
  if (discovery === undefined) {
    const known = adapters.flatMap((adapter) =>
      adapter.discovery === undefined ? [] : [`"${adapter.kind}"`],
    );
    const expected = `a kind that can list services (${known.length === 0 ? "there are none" : known.sort().join(" or ")})`;
    return [{ ...toProblem([...at, "kind"], expected, kind), code: "VALIDATION_UNKNOWN_KIND" }];
  }
  const result = discovery.params.safeParse(params);
  return result.success ? [] : toValidationProblems(result.error.issues, params, [...at, "params"]);
}

function findUnknownPlaceholders(
  template: unknown,
  known: ReadonlySet<string>,
  at: Path,
): readonly DescriptorProblem[] {
  const expected = [...known].map((name) => `{${name}}`).join(" or ");
  return [...placeholdersOf(template)].flatMap((name) =>
    known.has(name)
      ? []
      : [{ path: formatPath(at), expected, got: `{${name}}`, code: "VALIDATION_MALFORMED" }],
  );
}

function findOptionProblems(definition: DiscoveryDefinition, at: Path): readonly DescriptorProblem[] {
  try {
    toPresencePolicy(definition);
    toHealthPolicy(definition.settings?.health);
    return [];
  } catch (error) {
    if (!isProvisioningError(error)) throw error;
    return [toProblem(at, `valid settings (${toReason(error).message})`, definition)];
  }
}

function toProblem(at: Path, expected: string, value: unknown): DescriptorProblem {
  return { path: formatPath(at), expected, got: describeForm(value), code: "VALIDATION_MALFORMED" };
}
