// For tests and simulations that own time and chance.
export { VirtualClock, type VirtualClockOptions } from "./virtual-clock.ts";
export { CountingClock } from "./counting-clock.ts";
export { createSeededRandom } from "./seeded-random.ts";
export { RecordingPlacement, type RecordingPlacementOptions } from "./recording-placement.ts";
export { RecordingPartition } from "./recording-partition.ts";
export { RecordingRemoting } from "./recording-remoting.ts";
export { RecordingPort, type HoldOptions, type RecordingPortOptions } from "./recording-port.ts";
export { CallJournal, type PortCall, type PortName, type RecordedCall } from "./call-journal.ts";
export { ScriptedSource } from "./scripted-source.ts";
export { collectUnhandledRejections } from "./unhandled-rejections.ts";
export { MemoryProviderStore } from "./memory-provider-store.ts";
export { MemorySnapshotStore } from "./memory-snapshot-store.ts";

// For authors of adapters and stores.
export type { ConformanceRunner, DefineTest } from "./conformance-runner.ts";
export { providerConformance, type ProviderConformanceOptions } from "./provider-conformance.ts";
export type { ProviderAbility, ProviderHarness, ProviderSetup } from "./provider-harness.ts";
export { WatchRecording, type WatchOutcome, type WatchRecordingOptions } from "./watch-recording.ts";
export { createRealTime, type RealTimeOptions, type SuiteTime } from "./suite-time.ts";
export { storeConformance, type StoreConformanceOptions } from "./store-conformance.ts";
export type { StoreAbility, StoreHarness, StoreSetup } from "./store-harness.ts";
export { TemporaryFolder } from "./temporary-folder.ts";
export { createSelfSigned, hasOpenssl, type SelfSigned } from "./self-signed.ts";

// For tests of a daemon's endpoints.
export { TestEventSource, type EventSourceOptions, type ReceivedEvent } from "./reading/test-event-source.ts";
export { CheckingFollower } from "./reading/checking-follower.ts";
export { HostileClients } from "./reading/hostile-clients.ts";

// For tests of whatever parses an input from outside.
export type { Mutation } from "./hostile/mutation.ts";
export { mutateJson } from "./hostile/mutate-json.ts";
export { cutInto, mutateBytes } from "./hostile/mutate-bytes.ts";
export { assertUnpolluted, nest } from "./hostile/hostile-values.ts";
export { outcomeOf, type Outcome } from "./hostile/outcome-of.ts";
export { everythingSaid, findSecret } from "./hostile/everything-said.ts";
export { fuzzRuns } from "./hostile/fuzz-runs.ts";
