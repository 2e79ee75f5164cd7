import type { ConsulResponse } from "../http/consul-client.ts";
import type { Consistency } from "../consul-params.ts";

export interface BlockingPosition {
  /** The query waits until the index is greater than this one. With 0 it returns at once. */
  readonly index: number;
  readonly waitMs: number;
}

/** The position of a query that does not wait. */
export const FROM_START: BlockingPosition = { index: 0, waitMs: 0 };

/** A query to an endpoint of Consul that supports blocking queries. `C` is the content of its responses. */
export interface WatchedQuery<C> {
  /** What the query is about, for the details of errors. */
  readonly details: Readonly<Record<string, unknown>>;
  toPath(consistency: Consistency, position: BlockingPosition): string;
  /**
   * Returns the path of an index check: a query with the same permissions and the same index as the complete one, whose
   * response is as small as possible.
   */
  toCheckPath(consistency: Consistency, position: BlockingPosition): string;
  /** Throws `CONNECTIVITY_UNAUTHORIZED` when ACL rules have removed something from a response. */
  assertComplete(response: ConsulResponse): Promise<void>;
  /**
   * Reads a complete response. Returns "same" when its content equals that of the last one. Throws when the content cannot
   * be used; do not use the query again after that.
   */
  read(response: ConsulResponse): Promise<C | "same">;
  /**
   * Called after `read` has returned new content. Throws `CONNECTIVITY_UNAUTHORIZED` when the content may lack something
   * because the token may not read it.
   */
  assertPermitted(): Promise<void>;
}

/** Adds a position to a query string. */
export function setPosition(query: URLSearchParams, { index, waitMs }: BlockingPosition): void {
  if (index === 0) return;
  query.set("index", String(index));
  query.set("wait", `${waitMs}ms`);
}
