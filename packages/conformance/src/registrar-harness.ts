import type { ClusterNodeInput, Clock, Registrar } from "@holdfast/core";
import type { SuiteTime } from "./suite-time.ts";

/**
 * Abilities that a harness may lack. The tests that need them are then skipped by name. `expire`: the backend stops
 * listing a member that does not beat. `detectOwner`: the backend distinguishes two living processes with the same id.
 */
export type RegistrarAbility =
  | "expire"
  | "detectOwner"
  | "loseData"
  | "breakBackend"
  | "hangBackend"
  | "countOpen";

/** An empty backend, a registrar for it, and the functions that control the backend. */
export interface RegistrarSetup {
  /** Registers in the backend of this setup. A test opens several registrations with it. */
  readonly registrar: Registrar;
  /** Passed to every registration. */
  readonly clock: Clock;
  readonly time: SuiteTime;
  /** Returns the members as a reader of the backend sees them now, not as the registrar remembers them. */
  list(): Promise<readonly ClusterNodeInput[]> | readonly ClusterNodeInput[];
  /** Longest time in milliseconds until `list` shows a change. @defaultValue 5000 */
  readonly patienceMs?: number | undefined;
  /** The node as `list` returns it, when the backend does not keep all fields. @defaultValue the whole node */
  asSeen?(node: ClusterNodeInput): ClusterNodeInput;
  /** Makes the backend forget every entry, as a server that is restarted without its data. */
  loseData?(): Promise<void> | void;
  /** From now on the backend refuses every call. */
  breakBackend?(): Promise<void> | void;
  /** From now on the backend accepts calls and does not respond. */
  hangBackend?(): Promise<void> | void;
  /** Ends `breakBackend` and `hangBackend`. Required with them. */
  repairBackend?(): Promise<void> | void;
  /** Number of timers, sockets and files that are open now. */
  countOpen?(): number;
  /** Called after every test, passed or failed, after every registration was disposed of. */
  teardown(): Promise<void> | void;
}

export interface RegistrarHarness {
  setup(): Promise<RegistrarSetup> | RegistrarSetup;
  /** @defaultValue [] */
  readonly lacks?: readonly RegistrarAbility[] | undefined;
}
