import type { ClusterNodeInput, ClusterProvider } from "@holdfast/core";
import type { SuiteTime } from "./suite-time.ts";

/** Abilities that a harness may lack. The tests that need them are then skipped by name. */
export type ProviderAbility = "breakBackend" | "hangBackend" | "endStream" | "countOpen";

/** One fresh provider on a separate backend, and the functions that control that backend. */
export interface ProviderSetup {
  readonly provider: ClusterProvider;
  readonly time: SuiteTime;
  /** The `ProviderContext.heartbeatMs` that the provider was created with, in milliseconds. */
  readonly heartbeatMs: number;
  /** Longest time until a change or a failure is reported, in milliseconds. @defaultValue 5000 */
  readonly patienceMs?: number | undefined;

  /** Makes these nodes, in this order, the whole content of the backend. Resolves when the backend has stored it. */
  publish(nodes: readonly ClusterNodeInput[]): Promise<void> | void;
  /**
   * Returns a node as the provider reports it, when the backend does not keep all of its fields. @defaultValue the
   * whole node
   */
  asSeen?(node: ClusterNodeInput): ClusterNodeInput;

  /** Makes the backend unusable from now on: running watches, new watches and probes fail. */
  breakBackend?(): Promise<void> | void;
  /** Makes the backend accept every request from now on without responding. */
  hangBackend?(): Promise<void> | void;
  /** Makes the backend work again. Required with `breakBackend` and `hangBackend`. */
  repairBackend?(): Promise<void> | void;
  /** Makes the backend end the stream of every running watch. */
  endStream?(): Promise<void> | void;
  /**
   * Returns the number of watches, timers, sockets and files that the provider has open now, without those that it only
   * keeps for reuse until it is disposed of.
   */
  countOpen?(): number;

  /** Called after every test, passed or failed. Must also dispose of the provider. */
  teardown(): Promise<void> | void;
}

export interface ProviderHarness {
  setup(): Promise<ProviderSetup> | ProviderSetup;
  /** @defaultValue [] */
  readonly lacks?: readonly ProviderAbility[] | undefined;
}
