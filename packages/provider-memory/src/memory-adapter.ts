import type { ProviderAdapter, ProviderId } from "@holdfast/core";
import { memoryParamsSchema, type MemoryParams } from "./memory-params.ts";
import { MemoryProvider } from "./memory-provider.ts";

export interface MemoryAdapterOptions {
  /** Called with every provider before it is used, for example to make it refuse or to set its members. */
  readonly onCreate?: ((provider: MemoryProvider) => void) | undefined;
}

/** Creates providers of kind `memory` from descriptors and gives access to them. */
export interface MemoryAdapter extends ProviderAdapter<MemoryParams> {
  /** The newest provider of each id, so that your code can control it. */
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
