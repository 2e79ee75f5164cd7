export type { ConformanceRunner, DefineTest } from "./conformance-runner.ts";
export { providerConformance, type ProviderConformanceOptions } from "./provider-conformance.ts";
export type { ProviderAbility, ProviderHarness, ProviderSetup } from "./provider-harness.ts";
export { WatchRecording, type WatchOutcome, type WatchRecordingOptions } from "./watch-recording.ts";
export { createRealTime, type RealTimeOptions, type SuiteTime } from "./suite-time.ts";
export { storeConformance, type StoreConformanceOptions } from "./store-conformance.ts";
export type { StoreAbility, StoreHarness, StoreSetup } from "./store-harness.ts";
export { registrarConformance, type RegistrarConformanceOptions } from "./registrar-conformance.ts";
export type { RegistrarAbility, RegistrarHarness, RegistrarSetup } from "./registrar-harness.ts";
