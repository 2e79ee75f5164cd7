import { createHash } from "node:crypto";
import { isProvisioningError, refusalOf, type Clock, type TopologyState } from "@holdfast/core";
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { inTurns } from "../output/in-turns.ts";
import { toJsonPieces } from "../output/json-pieces.ts";
import type { EventClients } from "./event-clients.ts";
import { parsePosition } from "./event-position.ts";
import { NO_STORE, toFailureResponse, toInternalFailure } from "./http-failure.ts";
import { toBody } from "./piece-stream.ts";
import type { ServerView } from "./server-view.ts";
import { toTopologyDocument } from "./topology-document.ts";

export interface AppOptions {
  readonly view: ServerView;
  readonly clients: EventClients;
  readonly clock: Clock;
  /** Whether requests with this `Host` header are answered. */
  readonly isHostAllowed: (hostHeader: string | undefined) => boolean;
}

export type App = Hono<{ Bindings: HttpBindings }>;

/** The routes. Everything is read-only; every failure is JSON with a code. */
export function createApp(options: AppOptions): App {
  const { view, clients, clock, isHostAllowed } = options;
  const app: App = new Hono();

  app.use(async (c, next) => {
    if (isHostAllowed(c.req.header("host"))) return next();
    const message = "the name in the Host header is not allowed; http.allowedHosts can add names";
    return toFailureResponse({ status: 403, code: "HTTP_HOST_REFUSED", message });
  });
  app.use(async (c, next) => {
    await next();
    c.res.headers.set("x-content-type-options", "nosniff");
  });

  app.get("/healthz", (c) => c.json({ status: "ok" }, 200, NO_STORE));

  app.get("/readyz", (c) => {
    const { state } = view.log;
    const { status, statusReason: reason } = state;
    return c.json({ status, reason }, refusalOf(state) === undefined ? 200 : 503, NO_STORE);
  });

  app.get("/metrics", async () => {
    const { contentType, text } = await view.metrics();
    return new Response(text, { headers: { ...NO_STORE, "content-type": contentType } });
  });

  app.get("/topology", (c) => {
    const { state } = view.log;
    const etag = toEtag(view, state);
    const headers = { etag, "cache-control": "no-cache", "content-type": "application/json; charset=UTF-8" };
    if (isListed(c.req.header("if-none-match"), etag)) return new Response(null, { status: 304, headers });
    if (c.req.method === "HEAD") return new Response(null, { headers });
    return new Response(toBody(inTurns(toJsonPieces(toTopologyDocument(view, state)), "\n", clock)), {
      headers,
    });
  });

  app.get("/events", (c) => {
    const from = parsePosition(c.req.header("last-event-id") ?? c.req.query("lastEventId"));
    return clients.connect({ from, isHead: c.req.method === "HEAD", outgoing: c.env.outgoing });
  });

  app.get("/explain", (c) => {
    const nodeId = c.req.query("node");
    if (nodeId !== undefined && nodeId !== "") return c.json(view.explain(nodeId), 200, NO_STORE);
    const message = "name the node: /explain?node=ID";
    return toFailureResponse({ status: 400, code: "VALIDATION_MISSING_FIELD", message });
  });

  for (const path of ["/healthz", "/readyz", "/metrics", "/topology", "/events", "/explain"]) {
    app.all(path, (c) => {
      const message = `${c.req.method} is not possible here`;
      const headers = { allow: "GET, HEAD" };
      return toFailureResponse({ status: 405, code: "HTTP_METHOD_NOT_ALLOWED", message, headers });
    });
  }
  app.notFound(() => {
    const message = "there are /topology, /events, /explain, /metrics, /readyz and /healthz";
    return toFailureResponse({ status: 404, code: "HTTP_NOT_FOUND", message });
  });
  app.onError((error) => {
    if (!isProvisioningError(error)) return toFailureResponse(toInternalFailure(error));
    const { code, category, message } = error;
    if (category === "validation") return toFailureResponse({ status: 400, code, message });
    return toFailureResponse(toInternalFailure(error));
  });
  return app;
}

/**
 * Names the step of the log and the health of the providers. Weak: the time of a last sign of life may differ between
 * answers of one name.
 */
function toEtag(view: ServerView, state: TopologyState): string {
  const providers = view.providers().map((provider) => ({ ...provider, lastUpdateAt: 0 }));
  const digest = createHash("sha256")
    .update(
      JSON.stringify([providers, state.restoringNodes, state.snapshot?.retained?.length, state.statusReason]),
    )
    .digest("base64url");
  return `W/"${state.epoch}:${state.seqNo}:${digest.slice(0, 12)}"`;
}

function isListed(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === "*" || ifNoneMatch.split(",").some((tag) => toOpaque(tag) === toOpaque(etag));
}

/** Weak comparison (RFC 9110, 8.8.3.2). */
function toOpaque(tag: string): string {
  return tag.trim().replace(/^W\//, "");
}
