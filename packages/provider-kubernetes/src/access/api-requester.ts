import { ProvisioningError, throwIfAborted } from "@holdfast/core";
import type { Dispatcher } from "undici";
import type { Access, ClusterAccess } from "./cluster-access.ts";
import type { ClusterDispatcher } from "./dispatcher-cache.ts";
import { toProvisioningError } from "../to-provisioning-error.ts";

/** What undici and Node.js report when the other side has closed a connection. */
const CLOSED: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE", "ECONNABORTED"]);

/** Makes GET requests. One that meets an idle connection as the server closes it is repeated once, on a new connection. */
export class ApiRequester {
  readonly #access: Pick<ClusterAccess, "get" | "renewConnections">;
  /** Dispatchers that have had an answer: a request may meet an old connection of theirs. */
  readonly #answered = new WeakSet<ClusterDispatcher>();

  constructor(access: Pick<ClusterAccess, "get" | "renewConnections">) {
    this.#access = access;
  }

  async get(url: string, access: Access, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#send(url, access, signal);
    } catch (error) {
      throwIfAborted(signal);
      if (!this.#answered.has(access.dispatcher) || !isClosed(error)) throw toFailure(error, access);
    }
    this.#access.renewConnections(access.dispatcher);
    const renewed = await this.#access.get(signal);
    // Another place must not be asked in the name of this one.
    if (renewed.server !== access.server)
      throw new ProvisioningError("STREAM_EXPIRED", `the credentials now lead to ${renewed.server}`);
    try {
      return await this.#send(url, renewed, signal);
    } catch (error) {
      throwIfAborted(signal);
      throw toFailure(error, renewed);
    }
  }

  async #send(url: string, access: Access, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { request } = await import("undici");
    const { dispatcher } = access;
    const headers: Record<string, string | string[]> = {
      accept: "application/json",
      "user-agent": "holdfast",
    };
    for (const [name, value] of Object.entries(access.headers))
      headers[name] = typeof value === "string" ? value : [...value];
    const answer = await request(url, { dispatcher, headers, signal });
    this.#answered.add(dispatcher);
    return answer;
  }
}

function isClosed(error: unknown): boolean {
  return CLOSED.has(Reflect.get(Object(error), "code"));
}

/** undici reports a proxy's refusal only in a message: of a tunnel, and of a request that is passed on. */
const PROXY_STATUS = /^Proxy response \((\d{3})\)|^Proxy Authentication Required \((407)\)/;

function toFailure(error: unknown, { server, proxy }: Access): ProvisioningError {
  if (proxy === undefined) return toProvisioningError(error, server);
  const [, tunnel, forward] = PROXY_STATUS.exec(String(Reflect.get(Object(error), "message"))) ?? [];
  const proxyStatus = Number(tunnel ?? forward);
  if (Number.isNaN(proxyStatus)) return toProvisioningError(error, server, proxy);
  const wants = proxyStatus === 407 ? ": it wants credentials, or refuses those of its URL" : "";
  return new ProvisioningError(
    proxyStatus === 407 || proxyStatus === 403 ? "CONNECTIVITY_UNAUTHORIZED" : "CONNECTIVITY_REFUSED",
    `the proxy ${proxy} answered with status ${proxyStatus} when asked for the API server ${server}${wants}`,
    { details: { server, proxy, proxyStatus } },
  );
}
