import type { TopologyState } from "./topology-state.ts";
import type { TopologyEvent } from "./topology-event.ts";

/** Where bridges, metrics and servers read the log from: the hub, seen from downstream. */
export interface TopologySource {
  readonly state: TopologyState;
  /** Called for every event in order, after the state is set. Returns the way to stop it. */
  onEvent(listener: (event: TopologyEvent) => unknown): () => void;
}
