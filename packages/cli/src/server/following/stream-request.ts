import { DEFAULT_TOPOLOGY } from "@holdfast/core";
import type { HonoRequest } from "hono";
import { parsePosition } from "../event-position.ts";
import type { StreamRequest } from "./followers.ts";
import { parseHash, parseTopics } from "./stream-topics.ts";

/**
 * Reads what a client wants to follow: the topologies of the query, or else the one of the path, which is the default one when the path
 * names none. Throws `VALIDATION_MALFORMED`.
 */
export function toStreamRequest(request: HonoRequest): StreamRequest {
  const name = request.param("name");
  const lastEventId = request.header("last-event-id") ?? request.query("lastEventId");
  const values = name === undefined ? (request.queries("topology") ?? []) : [];
  if (values.length > 0) return { form: "named", ...parseTopics(values, lastEventId) };
  const topic = {
    name: name ?? DEFAULT_TOPOLOGY,
    from: parsePosition(lastEventId),
    have: parseHash(request.query("have")),
  };
  return { form: "one", isAll: false, topics: new Map([[topic.name, topic]]) };
}
