import type { ClusterNode } from "@holdfast/core";

/** The members that one EndpointSlice lists. */
export interface SliceContent {
  /** `namespace/name`. */
  readonly key: string;
  readonly isIpv6: boolean;
  /**
   * The nodes by the key of their endpoint: the pod, the hostname, or the address (with its port when a port is
   * selected).
   */
  readonly nodes: ReadonlyMap<string, ClusterNode>;
  /** Additional addresses of keys in `nodes`; absent when there are none. */
  readonly more?: readonly { readonly key: string; readonly node: ClusterNode }[] | undefined;
  /** The keys of listed endpoints that are not members because they are not ready; absent when there are none. */
  readonly unready?: ReadonlySet<string> | undefined;
  /** The fields of members that were shortened, one text for each field; absent when there are none. */
  readonly trimmed?: readonly string[] | undefined;
  /** The reasons why endpoints were left out, one for each endpoint. They never quote the content of an endpoint. */
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
