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

/** What has to be done for a definition: nothing, change the providers of the running topology, or create its service. */
export type TopologyTask = "keep" | "update" | "create";

export interface TopologyPlan {
  readonly definition: TopologyDefinition;
  readonly task: TopologyTask;
  /** The service, for the task "create". */
  readonly service?: ProvisioningService | undefined;
}

export interface PlanOptions {
  readonly adapters: readonly AnyProviderAdapter[];
  readonly taskOf: (definition: TopologyDefinition) => TopologyTask;
  /** Throws `VALIDATION_MALFORMED` for a setting out of its range. */
  readonly createService: (definition: TopologyDefinition) => ProvisioningService;
  /** Problems of other parts of the definition, to be reported with those of the topologies. */
  readonly otherProblems: readonly DescriptorProblem[];
}

/**
 * Checks all definitions that are new or changed and creates their services, all or none. Throws one `VALIDATION_*` error that names every
 * problem of every topology, with paths such as `topologies.orders.providers[0].params.service`.
 */
export function planTopologies(
  definitions: readonly TopologyDefinition[],
  { adapters, taskOf, createService, otherProblems }: PlanOptions,
): readonly TopologyPlan[] {
  const validator = new ProviderValidator({ adapters });
  const problems: DescriptorProblem[] = [];
  const plans: TopologyPlan[] = [];
  const names = new Set<string>();
  for (const definition of definitions) {
    const at = definition.at ?? ["topologies", definition.name];
    problems.push(...findNameProblems(definition.name, at, names));
    names.add(definition.name);
    const task = taskOf(definition);
    if (task !== "keep" && definition.providers !== undefined) {
      const checks = validator.checkAll(definition.providers, [...at, "providers"]);
      problems.push(...checks.flatMap((check) => check.problems));
    }
    try {
      const service = task === "create" ? createService(definition) : undefined;
      plans.push({ definition, task, service });
    } catch (error) {
      problems.push(toSettingProblem(error, at));
    }
  }
  problems.push(...otherProblems);
  if (problems.length === 0) return plans;
  for (const { service } of plans) void service?.stop();
  throw toValidationError(problems, "the set of topologies");
}

function findNameProblems(
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

/** The constructor of a service throws for an option out of its range, and its message names the option. Throws any other error. */
export function toSettingProblem(error: unknown, at: readonly PropertyKey[]): DescriptorProblem {
  if (!isProvisioningError(error) || error.category !== "validation") throw error;
  const expected = `valid settings (${toReason(error).message})`;
  return { path: formatPath(at), expected, got: "invalid ones", code: "VALIDATION_MALFORMED" };
}
