import type { TopologyState } from "./topology-state.ts";
import type { TopologyEvent } from "./topology-event.ts";

/** The source of the log for bridges, metrics and servers; implemented by the hub. */
export interface TopologySource {
  readonly state: TopologyState;
  /** Calls the listener for every event, in order, after the state is set. Returns a function that unsubscribes. */
  onEvent(listener: (event: TopologyEvent) => unknown): () => void;
}
