import { DEFAULT_TOPOLOGY, SerialQueue, type Clock } from "@holdfast/core";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono, type Context } from "hono";
import { toJsonPieces, type JsonDocument } from "../output/json-pieces.ts";
import { toReadiness, toTopologiesDocument } from "./documents/directory-documents.ts";
import { toNodesDocument, toProvidersDocument } from "./documents/health-document.ts";
import { isListed } from "./documents/topology-etag.ts";
import { EVENT_HEADERS, type Followers } from "./following/followers.ts";
import { toStreamRequest } from "./following/stream-request.ts";
import { NO_STORE, toFailure, toFailureResponse, toJsonResponse, type HttpFailure } from "./http-failure.ts";
import { RecentResult } from "./recent-result.ts";
import type { DocumentPool } from "./sending/document-pool.ts";
import { acceptsGzip } from "./sending/gzip.ts";
import type { LoopShare } from "./sending/loop-share.ts";
import { ResponseSlots } from "./sending/response-slots.ts";
import { ResponseWriter } from "./sending/response-writer.ts";
import { sendDocument } from "./sending/send-document.ts";
import { writeText } from "./sending/write-text.ts";
import {
  LARGE_RESPONSE_FAIR_MS,
  MAX_LARGE_RESPONSES,
  METRICS_REUSE_MS,
  RETRY_AFTER_SECONDS,
  WRITE_DEADLINE_MS,
} from "./server-limits.ts";
import type { ServedTopologies, ServedTopology } from "./served-topologies.ts";
import type { ServerDirectory } from "./server-directory.ts";

export interface AppOptions {
  readonly directory: ServerDirectory;
  readonly topologies: ServedTopologies;
  readonly pool: DocumentPool;
  readonly followers: Followers;
  readonly share: LoopShare;
  readonly clock: Clock;
  /** True when requests with this `Host` header are answered. */
  readonly isHostAllowed: (hostHeader: string | undefined) => boolean;
}

export type App = Hono<{ Bindings: HttpBindings }>;
type AppContext = Context<{ Bindings: HttpBindings }>;

/** The endpoints of one topology: of the default one, and of any other one by its name. */
const TOPOLOGY_PATHS = {
  topology: ["/topology", "/topologies/:name"],
  events: ["/events", "/topologies/:name/events"],
  explain: ["/explain", "/topologies/:name/explain"],
  providers: ["/health/providers", "/topologies/:name/health/providers"],
  nodes: ["/health/nodes", "/topologies/:name/health/nodes"],
};

const PATHS = [
  "/healthz",
  "/readyz",
  "/metrics",
  "/topologies",
  ...Object.values(TOPOLOGY_PATHS).flat(),
] as const;

const JSON_TYPE = "application/json; charset=UTF-8";

const BUSY: HttpFailure = {
  status: 503,
  code: "HTTP_OVERLOADED",
  message: `${MAX_LARGE_RESPONSES} large responses are already in progress`,
  headers: { "retry-after": String(RETRY_AFTER_SECONDS) },
};

/** Creates the routes. All of them are read-only, and every failure is JSON with a code. */
export function createApp(options: AppOptions): App {
  const { directory, topologies, pool, followers, share, clock, isHostAllowed } = options;
  const app: App = new Hono();
  const slots = new ResponseSlots({ clock, max: MAX_LARGE_RESPONSES, fairMs: LARGE_RESPONSE_FAIR_MS });
  const explanations = new SerialQueue();
  const metrics = new RecentResult({
    make: async () => {
      const { contentType, text } = await directory.metrics();
      return { contentType, bytes: Buffer.from(text) };
    },
    reuseMs: METRICS_REUSE_MS,
    clock,
  });

  const topologyOf = (c: AppContext): ServedTopology =>
    topologies.get(c.req.param("name") ?? DEFAULT_TOPOLOGY);

  /**
   * Sends a response that may take more than one write, within the limits for large responses. `send` writes the header
   * first.
   */
  async function sendLarge(
    { env }: AppContext,
    send: (writer: ResponseWriter) => Promise<unknown>,
  ): Promise<Response> {
    const { outgoing } = env;
    if (!slots.take(outgoing)) return toFailureResponse(BUSY);
    const writer = new ResponseWriter(outgoing, { clock, deadlineMs: WRITE_DEADLINE_MS, share });
    try {
      await send(writer);
      await writer.end();
    } catch (error) {
      if (!outgoing.headersSent && !writer.isGone) throw error;
      writer.disconnect();
    }
    return RESPONSE_ALREADY_SENT;
  }

  app.use(async (c, next) => {
    // An absolute URL replaces the Host header (RFC 9112, section 3.2.2).
    const isAbsolute = c.env.incoming.url?.startsWith("/") === false;
    const names = [c.req.header("host"), ...(isAbsolute ? [new URL(c.req.url).host] : [])];
    if (names.every((name) => isHostAllowed(name))) return next();
    const message = "the name in the Host header is not allowed; add it to http.allowedHosts if it should be";
    return toFailureResponse({ status: 403, code: "HTTP_HOST_REFUSED", message });
  });

  app.get("/healthz", () => toJsonResponse({ status: "ok" }));

  app.get("/readyz", () => {
    const { isReady, document } = toReadiness(directory);
    return toJsonResponse(document, { status: isReady ? 200 : 503 });
  });

  const sendJson = (c: AppContext, document: JsonDocument) => {
    const headers = { ...NO_STORE, "content-type": JSON_TYPE };
    if (c.req.method === "HEAD") return new Response(null, { headers });
    return sendLarge(c, async (writer) => {
      c.env.outgoing.writeHead(200, headers);
      await writeText(writer, toJsonPieces(document), clock);
    });
  };

  app.get("/topologies", (c) => sendJson(c, toTopologiesDocument(directory)));

  app.on("GET", TOPOLOGY_PATHS.providers, (c) => toJsonResponse(toProvidersDocument(topologyOf(c).view)));

  app.on("GET", TOPOLOGY_PATHS.nodes, (c) => sendJson(c, toNodesDocument(topologyOf(c).view)));

  app.get("/metrics", (c) =>
    sendLarge(c, async (writer) => {
      const { contentType, bytes } = await metrics.get();
      const headers = { ...NO_STORE, "content-type": contentType, "content-length": bytes.byteLength };
      c.env.outgoing.writeHead(200, headers);
      await writer.write(bytes);
    }),
  );

  app.on("GET", TOPOLOGY_PATHS.topology, (c) => {
    const { documents } = topologyOf(c);
    const { etag } = documents;
    const isDeflated = acceptsGzip(c.req.header("accept-encoding"));
    const headers = {
      etag,
      "cache-control": "no-cache",
      "content-type": JSON_TYPE,
      vary: "accept-encoding",
      ...(isDeflated && { "content-encoding": "gzip" }),
    };
    if (isListed(c.req.header("if-none-match"), etag)) return new Response(null, { status: 304, headers });
    if (c.req.method === "HEAD") return new Response(null, { headers });
    return sendLarge(c, async (writer) => {
      const state = await documents.current({ isDeflated });
      using _ = pool.hold(state.document, () => writer.disconnect());
      const { outgoing } = c.env;
      await sendDocument(state.document, {
        outgoing,
        writer,
        headers: { ...headers, etag: state.etag },
        isDeflated,
      });
    });
  });

  app.on("GET", TOPOLOGY_PATHS.events, (c) => {
    const request = toStreamRequest(c.req);
    const refusal = followers.refusal(request);
    if (refusal !== undefined) return toFailureResponse(refusal);
    if (c.req.method === "HEAD") return new Response(null, { headers: EVENT_HEADERS });
    followers.serve(c.env, request);
    return RESPONSE_ALREADY_SENT;
  });

  app.on("GET", TOPOLOGY_PATHS.explain, async (c) => {
    const { view } = topologyOf(c);
    const nodeId = c.req.query("node");
    if (nodeId === undefined || nodeId === "") {
      const message = "the node is missing: use /explain?node=ID";
      return toFailureResponse({ status: 400, code: "VALIDATION_MISSING_FIELD", message });
    }
    if (!slots.take(c.env.outgoing)) return toFailureResponse(BUSY);
    // Each explanation searches the log, so only one runs in each turn of the event loop.
    return explanations.run(async () => {
      await clock.yield();
      return toJsonResponse(view.explain(nodeId));
    });
  });

  for (const path of PATHS) {
    app.all(path, (c) => {
      const message = `${c.req.method} is not supported here`;
      const headers = { allow: "GET, HEAD" };
      return toFailureResponse({ status: 405, code: "HTTP_METHOD_NOT_ALLOWED", message, headers });
    });
  }
  app.notFound(() => {
    const message = `unknown path; available are ${PATHS.join(", ").replaceAll(":name", "NAME")}`;
    return toFailureResponse({ status: 404, code: "HTTP_NOT_FOUND", message });
  });
  app.onError((error) => toFailureResponse(toFailure(error)));
  return app;
}
