import {
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
   * Does no I/O. Throws the adapter's error, or `LIFECYCLE_INTERNAL` for an error that is not a `ProvisioningError`.
   */
  create({ descriptor, adapter, params }: ValidDescriptor): RegisteredProvider {
    const { context, disposal } = this.#options;
    const provider = createInstance({ descriptor, adapter, params }, context);
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
