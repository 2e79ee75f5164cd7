/**
 * Identifies a topology in a process: 1 to 128 letters, digits, `.`, `_` and `-`; the first one is a letter or digit. It is a part of
 * URLs and the name of a folder.
 */
export type TopologyName = string;

/** The name of the topology when a process has only one. */
export const DEFAULT_TOPOLOGY: TopologyName = "default";

export const TOPOLOGY_NAME_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export function isTopologyName(value: unknown): value is TopologyName {
  return typeof value === "string" && TOPOLOGY_NAME_PATTERN.test(value);
}
