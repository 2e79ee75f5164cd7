import {
  isTopologyName,
  toReason,
  type AnyProviderAdapter,
  type FoundService,
  type Reason,
  type TopologyName,
} from "@holdfast/core";
import { ProviderValidator, toValidationError, type DescriptorProblem } from "@holdfast/provisioning";
import type { TopologyDefinition } from "../directory/topology-definition.ts";
import type { DiscoveryDefinition } from "./discovery-definition.ts";
import { fillTemplate, placeholdersOf, type TemplateValues } from "./fill-template.ts";
import type { ServiceList } from "./service-presence.ts";

export const DEFAULT_NAME_TEMPLATE = "{service}";

/** A service that does not become a topology. */
export interface Misfit {
  readonly service: string;
  readonly reason: Reason;
}

/** Other characters could change the meaning of the text around a placeholder, such as a filter expression. */
const SAFE_VALUE = /^[A-Za-z0-9._-]*$/;

function valuesOf({ name, values }: FoundService): TemplateValues {
  return { ...values, service: name };
}

/** Fills in the templates of a discovery. */
export class FoundDefinitions {
  readonly #definition: DiscoveryDefinition;
  readonly #validator: ProviderValidator;
  /** What each service became last, so that an unchanged one is not checked again. */
  readonly #made = new Map<
    TopologyName,
    { readonly key: string; readonly result: TopologyDefinition | Reason }
  >();

  constructor(definition: DiscoveryDefinition, adapters: readonly AnyProviderAdapter[]) {
    this.#definition = definition;
    this.#validator = new ProviderValidator({ adapters });
  }

  /** Groups services by the name of their topology. Of several services with the same name the first in order counts. */
  toList(services: readonly FoundService[]): {
    readonly list: ServiceList;
    readonly misfits: readonly Misfit[];
  } {
    const { topology = DEFAULT_NAME_TEMPLATE } = this.#definition;
    const list = new Map<TopologyName, FoundService>();
    const misfits: Misfit[] = [];
    for (const service of services) {
      const name = fillTemplate(topology, valuesOf(service));
      const other = list.get(name);
      const unsafe = Object.entries(valuesOf(service)).find(([, value]) => !SAFE_VALUE.test(value));
      if (unsafe !== undefined) {
        const why = "contains other characters than letters, digits, `.`, `_` and `-`";
        misfits.push(toMisfit(service, `its value for {${unsafe[0]}} ${why}`));
      } else if (!isTopologyName(name)) {
        const missing = [...placeholdersOf(name)].map((placeholder) => `{${placeholder}}`);
        const why =
          missing.length > 0
            ? `it has no value for ${missing.join(" and ")}`
            : "the result is not a valid name";
        misfits.push(toMisfit(service, `the template "${topology}" gives it no name: ${why}`));
      } else if (other !== undefined) {
        misfits.push(
          toMisfit(
            service,
            `another service has the same name of a topology, "${name}"`,
            "VALIDATION_DUPLICATE_ID",
          ),
        );
      } else list.set(name, service);
    }
    return { list, misfits };
  }

  /** The definition of the topology of a service, or the reason why it cannot have one. */
  define(name: TopologyName, service: FoundService): TopologyDefinition | Reason {
    const values = valuesOf(service);
    const key = keyOf(service);
    const made = this.#made.get(name);
    if (made?.key === key) return made.result;
    const result = this.#fill(name, values);
    this.#made.set(name, { key, result });
    return result;
  }

  /** Forgets the services that are not present. */
  keepOnly(services: ServiceList): void {
    for (const name of this.#made.keys()) if (!services.has(name)) this.#made.delete(name);
  }

  #fill(name: TopologyName, values: TemplateValues): TopologyDefinition | Reason {
    const { providers: templates, settings } = this.#definition;
    const providers = templates.map((template) => ({
      ...template,
      id: fillTemplate(template.id, values),
      params: fillTemplate(template.params, values),
    }));
    const missing: DescriptorProblem[] = [
      ...placeholdersOf(providers.map(({ id, params }) => [id, params])),
    ].map((placeholder) => ({
      path: "providers",
      expected: "only placeholders for values of the service",
      got: `{${placeholder}}`,
      code: "VALIDATION_MALFORMED",
    }));
    const problems = [...missing, ...this.#validator.checkAll(providers).flatMap((check) => check.problems)];
    if (problems.length > 0) return toReason(toValidationError(problems, `the topology "${name}"`));
    return { ...settings, name, providers };
  }
}

/** Equal for services with the same name and values. */
export function keyOf(service: FoundService): string {
  return JSON.stringify(Object.entries(valuesOf(service)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function toMisfit(
  { name }: FoundService,
  message: string,
  code: Reason["code"] = "VALIDATION_MALFORMED",
): Misfit {
  return { service: name, reason: { code, message } };
}
