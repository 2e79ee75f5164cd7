import type { NodeId, ProvisioningError, ReadOptions, Unsubscribe } from "@holdfast/core";
import type { CallReport } from "./call-report.ts";
import type { Picker } from "./picking/picker.ts";
import type { PickStrategyFactory } from "./picking/target.ts";
import type { EndpointExplanation } from "./explain-endpoint.ts";
import type { EndpointsState } from "./endpoints-state.ts";

/** The endpoints of one topology as one client uses them. Created by `createEndpoints`. */
export interface Endpoints extends Disposable {
  /** What a caller may do now. The same object until something changes. */
  readonly state: EndpointsState;
  /**
   * Calls the listener after `state` has changed in any field but `reason` and `counts`, once for everything that changed
   * at one moment, and not for the current state. A listener that throws does not affect the others.
   */
  onChange(listener: (state: EndpointsState) => unknown): Unsubscribe;
  /**
   * Resolves as soon as new calls can use an endpoint. When the signal aborts first, it rejects with the code and the reason
   * of the refusal at that moment, for example `TOPOLOGY_NO_SNAPSHOT`; the reason of the signal is the `cause`. Rejects
   * with `LIFECYCLE_STOPPED` when the topology stops or these endpoints are closed.
   */
  ready(options?: ReadOptions): Promise<EndpointsState>;
  /** The refusal of new calls as an error to throw, or `undefined` when the endpoints are usable. */
  refusal(): ProvisioningError | undefined;
  /** Says whether this client uses a node, and by which rule. */
  explain(nodeId: NodeId): EndpointExplanation;
  /**
   * Takes the outcome of a call that was not made through a picker. A node that is not a member is ignored. Do not report the
   * calls of pickers: `done` does that.
   */
  report(report: CallReport): void;
  /**
   * Creates a picker with `roundRobin()`, `leastInFlight()`, `byKey()` or your own strategy. Pickers of the same endpoints
   * share their calls in flight.
   */
  picker(strategy: PickStrategyFactory): Picker;
  /** Ends the subscription and all timers, and restores the nodes that `blocks` has blocked. The topology is not closed. Further calls have no effect. */
  close(): void;
}
