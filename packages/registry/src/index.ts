// For users who register providers.
export {
  ProviderRegistry,
  type ProviderRegistryOptions,
  type RegistryCallOptions,
  type RestoreOptions,
} from "./provider-registry.ts";
export type { PreparedChange } from "./prepared-change.ts";
export { TransientProviderStore } from "./transient-provider-store.ts";
export type { RegisteredProvider } from "./registered-provider.ts";
export type { RegistryEvents, RegistryWarning } from "./registry-events.ts";
export { toValidationError, type DescriptorProblem } from "./descriptor-problem.ts";

// For users who check descriptors without registering them.
export {
  ProviderValidator,
  type DescriptorCheck,
  type ProviderValidatorOptions,
  type ValidDescriptor,
} from "./provider-validator.ts";
