import {
  ProvisioningError,
  toProvisioningError,
  type ClusterProvider,
  type DisabledReason,
  type ProviderContext,
} from "@holdfast/core";
import type { InstanceDisposal } from "./instance-disposal.ts";
import type { ValidDescriptor } from "./provider-validator.ts";
import type { RegisteredProvider } from "./registered-provider.ts";

export interface ProviderFactoryOptions {
  readonly context: ProviderContext;
  readonly disposal: InstanceDisposal;
}

/** Creates instances, and disables those that lack a needed capability. */
export class ProviderFactory {
  readonly #options: ProviderFactoryOptions;

  constructor(options: ProviderFactoryOptions) {
    this.#options = options;
  }

  /**
   * Does no I/O. Throws the adapter's error, or `LIFECYCLE_INTERNAL` for an error that is not a `ProvisioningError`, and for a
   * provider that lacks a part of the contract.
   */
  create({ descriptor, adapter, params }: ValidDescriptor): RegisteredProvider {
    const { context, disposal } = this.#options;
    const provider = createInstance({ descriptor, adapter, params }, context);
    const missing = missingParts(provider);
    if (missing.length > 0) {
      const what = `the adapter of kind "${descriptor.kind}" created "${descriptor.id}"`;
      throw new ProvisioningError("LIFECYCLE_INTERNAL", `${what} without ${missing.join(", ")}`);
    }
    if (provider.capabilities.watch) return Object.freeze({ descriptor, provider });
    disposal.start(descriptor.id, provider);
    return toDisabled(descriptor, {
      code: "VALIDATION_MISSING_CAPABILITY",
      message: 'it lacks the capability "watch"',
    });
  }
}

export function toDisabled(
  descriptor: ValidDescriptor["descriptor"],
  disabled: DisabledReason,
): RegisteredProvider {
  return Object.freeze({
    descriptor: Object.freeze({ ...descriptor, disabled: Object.freeze({ ...disabled }) }),
  });
}

/** The parts of `ClusterProvider` that a value lacks. Adapters of third parties may be written without types. */
function missingParts(provider: unknown): readonly string[] {
  const missing: string[] = [];
  if (typeof partOf(partOf(provider, "capabilities"), "watch") !== "boolean")
    missing.push("capabilities.watch");
  for (const name of ["probe", "watch"]) if (typeof partOf(provider, name) !== "function") missing.push(name);
  if (typeof partOf(provider, Symbol.asyncDispose) !== "function") missing.push("[Symbol.asyncDispose]");
  return missing;
}

/** Own or inherited, of any value. */
function partOf(value: unknown, key: PropertyKey): unknown {
  return Reflect.get(Object(value), key);
}

function createInstance(valid: ValidDescriptor, context: ProviderContext): ClusterProvider {
  const { descriptor, adapter, params } = valid;
  try {
    return adapter.create({ ...descriptor, params }, context);
  } catch (error) {
    const { id, kind } = descriptor;
    throw toProvisioningError(
      error,
      "LIFECYCLE_INTERNAL",
      `the adapter of kind "${kind}" failed to create "${id}"`,
    );
  }
}
