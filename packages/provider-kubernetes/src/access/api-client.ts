import { createDeadline, ProvisioningError, throwIfAborted, type Clock, type Deadline } from "@holdfast/core";
import {
  HttpClient,
  parseJson,
  toRequestError,
  withDetails,
  type HttpPeer,
  type HttpResponse,
} from "@holdfast/core/adapter";
import { ClusterAccess, type Access } from "./cluster-access.ts";
import type { AccessSettings } from "./access-settings.ts";
import { readLines } from "../wire/read-lines.ts";
import { createSocksAgent } from "./create-socks-agent.ts";
import { toPeer, toRefusalError } from "../to-refusal-error.ts";
import { parseWatchLine, type WatchLine } from "../wire/watch-line.ts";
import type { ApiResource, WatchTarget } from "./watch-target.ts";

export interface ApiRequest {
  readonly target: WatchTarget;
  readonly verb: "list" | "watch";
  readonly query: Readonly<Record<string, string>>;
  /** The result of `locate`. If the request would now go to another place, it fails with `STREAM_EXPIRED`. */
  readonly place?: string | undefined;
  /**
   * Restricts the request to one namespace, even if all namespaces are watched. Used for an object that does not exist
   * in any namespace.
   */
  readonly isSingleNamespace?: boolean | undefined;
  /** The maximum time from the request to the end of the response, in milliseconds. */
  readonly withinMs: number;
  /** The error code for a request that takes too long. @defaultValue "CONNECTIVITY_TIMEOUT" */
  readonly lateCode?: "CONNECTIVITY_TIMEOUT" | "STREAM_SILENT" | "STREAM_STALE" | undefined;
  readonly signal: AbortSignal;
}

/** The part of an `ApiClient` that a watch needs. */
export type ApiSource = Pick<ApiClient, "locate" | "getJson" | "getEvents">;

/** An event of a watch. */
export type WatchEvent = Exclude<WatchLine, { readonly type: "error" }>;

/** Requests objects from the API server of one cluster. A response is complete, or there is an error. */
export class ApiClient implements Disposable {
  readonly #clock: Clock;
  readonly #access: ClusterAccess;
  readonly #http: HttpClient;

  constructor(settings: AccessSettings, clock: Clock) {
    this.#clock = clock;
    this.#access = new ClusterAccess(settings, clock);
    this.#http = new HttpClient({ clock, otherProxies: { "socks5:": createSocksAgent } });
  }

  /** Returns where the objects are: the server and the namespace. Replaced credentials may change both. */
  async locate(target: WatchTarget, signal: AbortSignal): Promise<string> {
    try {
      return toPlace(target, await this.#access.get(signal));
    } catch (error) {
      throwIfAborted(signal);
      throw toRequestError(error, UNKNOWN);
    }
  }

  /** Sends a request and returns its parsed response. */
  async getJson(request: ApiRequest): Promise<unknown> {
    const call = createCall(request);
    using deadline = this.#createDeadline(request, call);
    try {
      using response = await this.#send(request, call, deadline.signal);
      return parseBody(await response.read({ maxBytes: request.target.maxBytes }), call.peer);
    } catch (error) {
      throw toCallError(error, call, deadline.signal);
    }
  }

  /**
   * Yields the events of a watch as they arrive, with the events that arrive at once in one list. An empty list means
   * that the server has accepted the watch. An ERROR event is thrown, like the same HTTP status.
   */
  async *getEvents(request: ApiRequest): AsyncGenerator<readonly WatchEvent[], void> {
    const call = createCall(request);
    using deadline = this.#createDeadline(request, call);
    try {
      using response = await this.#send(request, call, deadline.signal);
      yield [];
      for await (const lines of readLines(response.chunks(), request.target.maxBytes)) {
        yield lines.map((text) => toEvent(text, call));
      }
    } catch (error) {
      throw toCallError(error, call, deadline.signal);
    }
  }

  /** Closes every connection. */
  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  #createDeadline(
    { signal, withinMs, verb, lateCode = "CONNECTIVITY_TIMEOUT" }: ApiRequest,
    call: Call,
  ): Deadline {
    return createDeadline({
      clock: this.#clock,
      signal,
      afterMs: withinMs,
      error: () =>
        new ProvisioningError(lateCode, `a ${verb} of ${call.peer.name} did not end within ${withinMs} ms`, {
          details: {
            ...call.peer.details,
            withinMs,
            ...(call.resourceVersion !== undefined && { resourceVersion: call.resourceVersion }),
          },
        }),
    });
  }

  /** Sends a request. Returns a response with the status 200 and the content type JSON. */
  async #send(request: ApiRequest, call: Call, signal: AbortSignal): Promise<HttpResponse> {
    const access = await this.#access.get(signal);
    call.peer = toPeer(access.server);
    call.request = describe(request, access);
    throwIfAborted(signal);
    const { target } = request;
    const place = toPlace(target, access);
    if (request.place !== undefined && request.place !== place)
      throw new ProvisioningError("STREAM_EXPIRED", `the credentials now refer to ${place}`);
    const isAnyNamespace = request.isSingleNamespace === true && target.allNamespaces;
    const path = isAnyNamespace ? toUrl(target.resource, access, "default") : place;
    const response = await this.#http.send({
      url: new URL(`${path}?${toSearch(request)}`),
      headers: { accept: "application/json", "user-agent": "holdfast", ...access.headers },
      proxy: access.proxy,
      tls: access.tls,
      peer: call.peer,
      signal,
    });
    try {
      const { status, retryAfterMs } = response;
      if (status === 401) this.#access.forgetCredentials(access);
      if (status !== 200) throw toRefusalError({ status, retryAfterMs, request: call.request }, call.peer);
      response.assertJson();
      return response;
    } catch (error) {
      response[Symbol.dispose]();
      throw error;
    }
  }
}

/** Returns the URL of the objects of the target. */
function toPlace(target: WatchTarget, access: Access): string {
  return toUrl(target.resource, access, namespaceOf(target, access));
}

function toUrl({ group, plural }: ApiResource, { server }: Access, namespace: string | undefined): string {
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${server}/${group}${scope}/${plural}`;
}

function namespaceOf({ allNamespaces, namespace }: WatchTarget, access: Access): string | undefined {
  return allNamespaces ? undefined : (namespace ?? access.namespace ?? "default");
}

function toSearch({ target: { labelSelector }, query }: ApiRequest): string {
  return new URLSearchParams({ ...(labelSelector !== undefined && { labelSelector }), ...query }).toString();
}

function describe({ verb, target }: ApiRequest, access: Access): string {
  const namespace = namespaceOf(target, access);
  const where = namespace === undefined ? "all namespaces" : `namespace "${namespace}"`;
  return `${verb} ${target.resource.plural} in ${where}`;
}

/** What is known about a request while it is processed. */
interface Call {
  peer: HttpPeer;
  request: string;
  readonly resourceVersion: string | undefined;
}

/** The server in errors before the kubeconfig has been read. */
const UNKNOWN: HttpPeer = { name: "the cluster", details: { server: "the cluster" } };

function createCall({ target, verb, query }: ApiRequest): Call {
  return {
    peer: UNKNOWN,
    request: `${verb} ${target.resource.plural}`,
    resourceVersion: query["resourceVersion"],
  };
}

function toEvent(text: string, { peer, request }: Call): WatchEvent {
  const line = parseWatchLine(text);
  if (line.type !== "error") return line;
  const { status, retryAfterMs } = line;
  throw toRefusalError({ status, retryAfterMs, request }, peer);
}

function toCallError(
  error: unknown,
  { peer, resourceVersion }: Call,
  signal: AbortSignal,
): ProvisioningError {
  throwIfAborted(signal);
  const failure = toRequestError(error, peer);
  return resourceVersion === undefined ? failure : withDetails(failure, { resourceVersion });
}

function parseBody(bytes: Buffer, { name, details }: HttpPeer): unknown {
  const body = parseJson(bytes.toString());
  if (body !== undefined) return body;
  throw new ProvisioningError("STREAM_INVALID_DATA", `the response from ${name} is not JSON`, {
    details: { ...details, bytes: bytes.byteLength },
  });
}
