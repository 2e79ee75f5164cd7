import type { ClusterNode } from "@holdfast/core";

/** The members that one EndpointSlice lists. */
export interface SliceContent {
  /** `namespace/name`. */
  readonly key: string;
  readonly isIpv6: boolean;
  /** By the key of the endpoint: the pod, the host name, or the address, with its port where a port is chosen. */
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  /** Further addresses of keys in `nodes`; absent when there are none. */
  readonly more?: readonly { readonly key: string; readonly node: ClusterNode }[] | undefined;
  /** The keys of endpoints that are listed and are not members, as they are not ready; absent when there are none. */
  readonly unready?: ReadonlySet<string> | undefined;
  /** Which fields of members were shortened, one text for each field; absent when none was. */
  readonly trimmed?: readonly string[] | undefined;
  /** Why endpoints were left out, one text for each. The texts never quote the content of an endpoint. */
  readonly skipped: readonly string[];
}

/** The content of a slice that could not be read. */
export function toUnreadable(key: string, reason: string): SliceContent {
  return { key, isIpv6: false, nodes: new Map(), skipped: [reason] };
}

/** True while the endpoint is shutting down. It may still serve requests. */
export function isTerminating({ metadata }: ClusterNode): boolean {
  return metadata["terminating"] === "true";
}
