import {
  describeForm,
  formatPath,
  isProvisioningError,
  isTopologyName,
  toReason,
  type AnyProviderAdapter,
} from "@holdfast/core";
import {
  ProviderValidator,
  toValidationError,
  type DescriptorProblem,
  type ProvisioningService,
} from "@holdfast/provisioning";
import type { TopologyDefinition } from "./topology-definition.ts";

export interface PlannedTopology {
  readonly definition: TopologyDefinition;
  readonly service: ProvisioningService;
}

/**
 * Checks all definitions and creates their services, all or none. Throws one `VALIDATION_*` error that names every problem of every
 * topology, with paths such as `topologies.orders.providers[0].params.service`.
 */
export function planTopologies(
  definitions: readonly TopologyDefinition[],
  adapters: readonly AnyProviderAdapter[],
  create: (definition: TopologyDefinition) => ProvisioningService,
): readonly PlannedTopology[] {
  const validator = new ProviderValidator({ adapters });
  const problems: DescriptorProblem[] = [];
  const planned: PlannedTopology[] = [];
  const names = new Set<string>();
  for (const definition of definitions) {
    const at = definition.at ?? ["topologies", definition.name];
    problems.push(...nameProblems(definition.name, at, names));
    names.add(definition.name);
    if (definition.providers !== undefined) {
      const checks = validator.checkAll(definition.providers, [...at, "providers"]);
      problems.push(...checks.flatMap((check) => check.problems));
    }
    try {
      planned.push({ definition, service: create(definition) });
    } catch (error) {
      problems.push(settingProblem(error, at));
    }
  }
  if (problems.length === 0) return planned;
  for (const { service } of planned) void service.stop();
  throw toValidationError(problems, "the set of topologies");
}

function nameProblems(
  name: unknown,
  at: readonly PropertyKey[],
  taken: ReadonlySet<unknown>,
): readonly DescriptorProblem[] {
  const path = formatPath(at);
  if (!isTopologyName(name)) {
    const expected =
      "a name of 1 to 128 letters, digits, `.`, `_` and `-` that starts with a letter or digit";
    return [{ path, expected, got: describeForm(name), code: "VALIDATION_MALFORMED" }];
  }
  if (!taken.has(name)) return [];
  const expected = "a name that no other topology has";
  return [{ path, expected, got: `"${name}"`, code: "VALIDATION_DUPLICATE_ID" }];
}

/** The constructor of a service throws for an option out of its range, and its message names the option. */
function settingProblem(error: unknown, at: readonly PropertyKey[]): DescriptorProblem {
  if (!isProvisioningError(error) || error.category !== "validation") throw error;
  const expected = `valid settings (${toReason(error).message})`;
  return { path: formatPath(at), expected, got: "invalid ones", code: "VALIDATION_MALFORMED" };
}
