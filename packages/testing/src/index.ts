// Time and random numbers.
export { VirtualClock, type VirtualClockOptions } from "./virtual-clock.ts";
export { CountingClock } from "./counting-clock.ts";
export { createSeededRandom } from "./seeded-random.ts";

// Doubles of the parts around a topology.
export { ScriptedUpdates } from "./scripted-updates.ts";
export { ScriptedSource } from "./scripted-source.ts";
export { MemoryProviderStore } from "./memory-provider-store.ts";
export { MemoryDiscoveryStore } from "./memory-discovery-store.ts";
export { MemorySnapshotStore } from "./memory-snapshot-store.ts";
export {
  MemoryRegistrarBackend,
  type MemoryRegistrarBackendOptions,
  type RegistrarCall,
} from "./memory-registrar-backend.ts";
export { RecordingPlacement, type RecordingPlacementOptions } from "./ports/recording-placement.ts";
export { RecordingPartition } from "./ports/recording-partition.ts";
export { RecordingRemoting } from "./ports/recording-remoting.ts";
export { RecordingPort, type HoldOptions, type RecordingPortOptions } from "./ports/recording-port.ts";
export { CallJournal, type PortCall, type PortName, type RecordedCall } from "./ports/call-journal.ts";

// Hostile input, for tests of code that parses input from outside.
export type { Mutation } from "./hostile/mutation.ts";
export { mutateJson } from "./hostile/mutate-json.ts";
export { cutInto, mutateBytes } from "./hostile/mutate-bytes.ts";
export { assertUnpolluted, nest } from "./hostile/hostile-values.ts";
export { outcomeOf, type Outcome } from "./hostile/outcome-of.ts";
export { allTextOf, findSecret } from "./hostile/all-text-of.ts";
export { fuzzRuns } from "./hostile/fuzz-runs.ts";
