// For users who control providers from their code.
export {
  MemoryProvider,
  type MemoryChange,
  type MemoryProviderOptions,
  type SnapshotDetails,
} from "./memory-provider.ts";
export { memory, type Memory, type MemorySpec } from "./memory.ts";
export type { MemoryAdapter, MemoryAdapterOptions } from "./memory-adapter.ts";
export type { MemoryParams } from "./memory-params.ts";
