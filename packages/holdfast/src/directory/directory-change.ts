import type { TopologyName } from "@holdfast/core";

/** A topology that has been added to a directory or removed from it. */
export interface DirectoryChange {
  readonly type: "appeared" | "disappeared";
  readonly name: TopologyName;
}
