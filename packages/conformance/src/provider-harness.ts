import type { ClusterNodeInput, ClusterProvider } from "@holdfast/core";
import type { SuiteTime } from "./suite-time.ts";

/** What a harness may be unable to do. The tests that need it are then skipped by name. */
export type ProviderAbility = "breakBackend" | "hangBackend" | "endStream" | "countOpen";

/** One fresh provider on a backend of its own, and the means to drive that backend. */
export interface ProviderSetup {
  readonly provider: ClusterProvider;
  readonly time: SuiteTime;
  /** The `ProviderContext.heartbeatMs` the provider was made with. */
  readonly heartbeatMs: number;
  /** How long a change or a failure may take to be seen, in milliseconds. @defaultValue 5000 */
  readonly patienceMs?: number | undefined;

  /** Makes these nodes, in this order, the backend's whole content; resolves when the backend has it. */
  publish(nodes: readonly ClusterNodeInput[]): Promise<void> | void;
  /** What is left of a node that went through the backend, where that keeps less than all of it. @defaultValue all */
  asSeen?(node: ClusterNodeInput): ClusterNodeInput;

  /** From now on the backend cannot be used: running watches, new ones and probes fail. */
  breakBackend?(): Promise<void> | void;
  /** From now on the backend accepts whatever is asked and says nothing. */
  hangBackend?(): Promise<void> | void;
  /** The backend works again. Needed with `breakBackend` and `hangBackend`. */
  repairBackend?(): Promise<void> | void;
  /** The backend says to every running watch that its stream is over. */
  endStream?(): Promise<void> | void;
  /** Watches, timers, sockets and files that the provider holds open now; not what it only keeps for re-use until disposed. */
  countOpen?(): number;

  /** Called after every test, whatever became of it; also disposes of the provider. */
  teardown(): Promise<void> | void;
}

export interface ProviderHarness {
  setup(): Promise<ProviderSetup> | ProviderSetup;
  /** @defaultValue [] */
  readonly lacks?: readonly ProviderAbility[] | undefined;
}
