import {
  ProvisioningError,
  type AnyProviderAdapter,
  type ClusterProvider,
  type ProviderId,
  type ProviderSpec,
  type SpecOptions,
} from "@holdfast/core";
import { createMemoryAdapter, type MemoryAdapter, type MemoryAdapterOptions } from "./memory-adapter.ts";
import type { MemoryParams } from "./memory-params.ts";
import { MemoryProvider } from "./memory-provider.ts";

const KIND = "memory";
const createSpecAdapter = (): AnyProviderAdapter => createMemoryAdapter();

/** A memory provider for `connect`, with access to it afterwards. Created by `memory()`. */
export class MemorySpec implements ProviderSpec {
  readonly kind: string = KIND;
  readonly id: ProviderId | undefined;
  readonly params: MemoryParams;
  readonly createAdapter: () => AnyProviderAdapter = createSpecAdapter;
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

/** The type of `memory`: like `DefinedAdapter`, with providers that the program can control. */
export interface Memory {
  (params?: MemoryParams, options?: SpecOptions): MemorySpec;
  readonly kind: string;
  readonly createAdapter: (options?: MemoryAdapterOptions) => MemoryAdapter;
}

/**
 * A provider whose backend is the program itself: for tests, and for members that the program already knows. For a
 * configuration that names the kind `memory`, `memory.createAdapter()` returns the adapter.
 */
export const memory: Memory = Object.assign(
  (params: MemoryParams = {}, { id }: SpecOptions = {}) => new MemorySpec(params, id),
  { kind: KIND, createAdapter: createMemoryAdapter },
);
