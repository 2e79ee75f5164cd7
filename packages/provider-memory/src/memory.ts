import {
  ProvisioningError,
  type AnyProviderAdapter,
  type ClusterProvider,
  type ProviderId,
  type ProviderSpec,
  type SpecOptions,
} from "@holdfast/core";
import { createMemoryAdapter } from "./memory-adapter.ts";
import type { MemoryParams } from "./memory-params.ts";
import { MemoryProvider } from "./memory-provider.ts";

const createAdapter = (): AnyProviderAdapter => createMemoryAdapter();

/** A memory provider for `connect`, and the way to drive it afterwards. Made by `memory()`. */
export class MemorySpec implements ProviderSpec {
  readonly kind = "memory";
  readonly id: ProviderId | undefined;
  readonly params: MemoryParams;
  readonly createAdapter: () => AnyProviderAdapter = createAdapter;
  #provider: MemoryProvider | undefined;

  constructor(params: MemoryParams, id: ProviderId | undefined) {
    this.params = params;
    this.id = id;
  }

  /** The provider, once `connect` has resolved. Throws `LIFECYCLE_NOT_STARTED` before. */
  get provider(): MemoryProvider {
    if (this.#provider !== undefined) return this.#provider;
    throw new ProvisioningError("LIFECYCLE_NOT_STARTED", "this memory provider is not connected yet");
  }

  onRegistered(provider: ClusterProvider): void {
    if (provider instanceof MemoryProvider) this.#provider = provider;
  }
}

/** A provider whose backend is the program itself: for tests, and for members that the program knows anyway. */
export function memory(params: MemoryParams = {}, { id }: SpecOptions = {}): MemorySpec {
  return new MemorySpec(params, id);
}
