import type { TopologyName } from "@holdfast/core";
import type { ServiceWarning } from "@holdfast/provisioning";

/** A problem that did not make a call fail. */
export interface DirectoryWarning extends ServiceWarning {
  /** The topology that it concerns; absent when it concerns several. */
  readonly topology?: TopologyName | undefined;
}
