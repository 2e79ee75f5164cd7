import {
  createDeadline,
  ProvisioningError,
  throwIfAborted,
  toReason,
  untilAborted,
  type Clock,
  type Deadline,
} from "@holdfast/core";
import { collectBytes, parseJson, parseRetryAfter } from "@holdfast/core/adapter";
import type { Dispatcher } from "undici";
import { ApiRequester } from "./api-requester.ts";
import { ClusterAccess, type Access } from "./cluster-access.ts";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import { readLines } from "../wire/read-lines.ts";
import { toProvisioningError, toRefusalError } from "../to-provisioning-error.ts";
import { parseWatchLine, type WatchLine } from "../wire/watch-line.ts";

export interface ApiRequest {
  readonly verb: "list" | "watch";
  readonly query: Readonly<Record<string, string>>;
  /** As `locate` gave it: were it asked anywhere else, it is `STREAM_EXPIRED` instead. */
  readonly place?: string | undefined;
  /** One namespace is enough, also where all of them are watched: what it asks about does not exist in any. */
  readonly isSingleNamespace?: boolean | undefined;
  /** Milliseconds from the request to the end of the answer. */
  readonly withinMs: number;
  /** What it means when time is up. @defaultValue "CONNECTIVITY_TIMEOUT" */
  readonly lateCode?: "CONNECTIVITY_TIMEOUT" | "STREAM_SILENT" | "STREAM_STALE" | undefined;
  readonly signal: AbortSignal;
}

/** As much of an `ApiClient` as a watch needs. */
export type EndpointSource = Pick<ApiClient, "locate" | "getJson" | "getEvents">;

/** What a watch brings. */
export type WatchEvent = Exclude<WatchLine, { readonly type: "error" }>;

type Body = Dispatcher.ResponseData["body"];

/** Asks the API server for EndpointSlices. Every answer is whole, or it is an error. */
export class ApiClient implements AsyncDisposable {
  readonly #params: KubernetesSettings;
  readonly #clock: Clock;
  readonly #access: ClusterAccess;
  readonly #requester: ApiRequester;

  constructor(params: KubernetesSettings, clock: Clock) {
    this.#params = params;
    this.#clock = clock;
    this.#access = new ClusterAccess(params, clock);
    this.#requester = new ApiRequester(this.#access);
  }

  /** Where the slices are now: server and namespace, which credentials that were replaced may have changed. */
  async locate(signal: AbortSignal): Promise<string> {
    try {
      return this.#placeOf(await this.#access.get(signal));
    } catch (error) {
      throwIfAborted(signal);
      throw toProvisioningError(error, "the cluster");
    }
  }

  /** One answer, parsed. */
  async getJson(asked: ApiRequest): Promise<unknown> {
    const call = createCall(asked);
    // Loading it for the first time takes long on a busy machine, and is not the server's time.
    await untilAborted(import("undici"), asked.signal);
    using deadline = this.#createDeadline(asked, call);
    try {
      const body = await this.#send(asked, call, deadline.signal);
      return parseAnswer(await collectBytes(body, { maxBytes: this.#params.maxBytes }), call.server);
    } catch (error) {
      throw toCallError(error, call, deadline.signal);
    } finally {
      call.body?.destroy();
    }
  }

  /**
   * The events of a watch as they come, those that came at once together; an empty list says that the server has agreed. An
   * ERROR event is thrown, as the same HTTP status would be.
   */
  async *getEvents(asked: ApiRequest): AsyncGenerator<readonly WatchEvent[], void> {
    const call = createCall(asked);
    // Loading it for the first time takes long on a busy machine, and is not the server's time.
    await untilAborted(import("undici"), asked.signal);
    using deadline = this.#createDeadline(asked, call);
    try {
      const body = await this.#send(asked, call, deadline.signal);
      yield [];
      for await (const lines of readLines(body, this.#params.maxBytes)) {
        yield lines.map((text) => toEvent(text, call));
      }
    } catch (error) {
      throw toCallError(error, call, deadline.signal);
    } finally {
      call.body?.destroy();
    }
  }

  /** Closes every connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#access[Symbol.asyncDispose]();
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
        new ProvisioningError(
          lateCode,
          `a ${verb} of the API server ${call.server} did not end within ${withinMs} ms`,
          {
            details: {
              server: call.server,
              withinMs,
              ...(call.resourceVersion !== undefined && { resourceVersion: call.resourceVersion }),
            },
          },
        ),
    });
  }

  async #send(asked: ApiRequest, call: Call, signal: AbortSignal): Promise<Body> {
    const access = await this.#access.get(signal);
    call.server = access.server;
    call.request = this.#describe(asked, access);
    throwIfAborted(signal);
    const place = this.#placeOf(access);
    if (asked.place !== undefined && asked.place !== place)
      throw new ProvisioningError("STREAM_EXPIRED", `the credentials now lead to ${place}`);
    const isAnyNamespace = asked.isSingleNamespace === true && this.#params.allNamespaces;
    const path = isAnyNamespace ? toUrl(access, "default") : place;
    const answer = await this.#requester.get(`${path}?${this.#toSearch(asked)}`, access, signal);
    const { statusCode: status, body } = answer;
    call.body = body;
    // A reader of the body gets the error. Without a listener the error of an unread one would end the process.
    body.on("error", () => undefined);
    if (status !== 200) {
      if (status === 401) this.#access.forgetCredentials();
      const retryAfterMs = parseRetryAfter(toText(answer.headers["retry-after"]), this.#clock.now());
      throw toRefusalError({ status, retryAfterMs, request: call.request }, call.server);
    }
    const contentType = toText(answer.headers["content-type"]) ?? "";
    if (/^application\/json\b/i.test(contentType)) return body;
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `what answers at ${access.server} is not an API server`,
      {
        details: { server: access.server, status },
      },
    );
  }

  #placeOf(access: Access): string {
    return toUrl(access, this.#namespaceOf(access));
  }

  #toSearch({ query }: ApiRequest): string {
    const { service, selector } = this.#params;
    const labelSelector = selector ?? `kubernetes.io/service-name=${service}`;
    return new URLSearchParams({ labelSelector, ...query }).toString();
  }

  #namespaceOf(access: Access): string | undefined {
    if (this.#params.allNamespaces) return undefined;
    return this.#params.namespace ?? access.namespace ?? "default";
  }

  #describe({ verb }: ApiRequest, access: Access): string {
    const namespace = this.#namespaceOf(access);
    return `${verb} endpointslices in ${namespace === undefined ? "all namespaces" : `namespace "${namespace}"`}`;
  }
}

function toUrl({ server }: Access, namespace: string | undefined): string {
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${server}/apis/discovery.k8s.io/v1${scope}/endpointslices`;
}

/** What is known of a request as it goes on. */
interface Call {
  server: string;
  request: string;
  readonly resourceVersion: string | undefined;
  body?: Body;
}

function createCall({ verb, query }: ApiRequest): Call {
  return {
    server: "the cluster",
    request: `${verb} endpointslices`,
    resourceVersion: query["resourceVersion"],
  };
}

function toEvent(text: string, { server, request }: Call): WatchEvent {
  const line = parseWatchLine(text);
  if (line.type !== "error") return line;
  const { status, retryAfterMs } = line;
  throw toRefusalError({ status, retryAfterMs, request }, server);
}

function toCallError(
  error: unknown,
  { server, resourceVersion }: Call,
  signal: AbortSignal,
): ProvisioningError {
  throwIfAborted(signal);
  const failure = toProvisioningError(error, server);
  if (resourceVersion === undefined) return failure;
  const { code, details, cause } = failure;
  return new ProvisioningError(code, toReason(failure).message, {
    details: { ...details, resourceVersion },
    ...(cause !== undefined && { cause }),
  });
}

function toText(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}

function parseAnswer(bytes: Buffer, server: string): unknown {
  const answer = parseJson(bytes.toString());
  if (answer !== undefined) return answer;
  throw new ProvisioningError("STREAM_INVALID_DATA", `the answer of the API server ${server} is not JSON`, {
    details: { server, bytes: bytes.byteLength },
  });
}
