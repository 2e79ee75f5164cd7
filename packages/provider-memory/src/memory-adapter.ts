import type { ProviderAdapter, ProviderId } from "@holdfast/core";
import { memoryParamsSchema, type MemoryParams } from "./memory-params.ts";
import { MemoryProvider } from "./memory-provider.ts";

export interface MemoryAdapterOptions {
  /** Called with every provider before anybody else sees it, for example to let it refuse or to fill it. */
  readonly onCreate?: ((provider: MemoryProvider) => void) | undefined;
}

/** Makes providers of kind `memory` from descriptors and keeps them at hand. */
export interface MemoryAdapter extends ProviderAdapter<MemoryParams> {
  /** The newest provider made for each id, so that it can be driven by hand. */
  readonly providers: ReadonlyMap<ProviderId, MemoryProvider>;
}

export function createMemoryAdapter(options: MemoryAdapterOptions = {}): MemoryAdapter {
  const providers = new Map<ProviderId, MemoryProvider>();
  return {
    kind: "memory",
    params: memoryParamsSchema,
    providers,
    create({ id, priority, params }, { clock, heartbeatMs }) {
      const provider = new MemoryProvider({ id, priority, clock, heartbeatMs, members: params.members });
      options.onCreate?.(provider);
      providers.set(id, provider);
      return provider;
    },
  };
}
