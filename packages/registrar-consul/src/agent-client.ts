import { EventEmitter } from "node:events";
import type Consul from "consul";
import { ProvisioningError, throwIfAborted, whenAborted, type Clock } from "@holdfast/core";
import { readTlsFiles, resolveSecret, textOf, type HttpPeer } from "@holdfast/core/adapter";
import type { ConsulRegistrarSettings } from "./consul-registrar-params.ts";
import { createGuardedAgent } from "./guarded-agent.ts";
import { isComplete, toAgentError, toCutOff } from "./to-agent-error.ts";

/** The calls of the client that are used. Its own types lack options that it has, and require some that it does not. */
interface AgentCalls {
  readonly service: {
    register(options: object): Promise<unknown>;
    deregister(options: object): Promise<unknown>;
    maintenance(options: object): Promise<unknown>;
  };
  readonly check: {
    pass(options: object): Promise<unknown>;
    list(options: object): Promise<unknown>;
    deregister(options: object): Promise<unknown>;
  };
}

/** A request of the client before it is sent, for extensions. */
interface ClientRequest {
  readonly opts: { readonly name?: string; readonly body?: object; query?: Record<string, unknown> };
}

/** The part of the client (`papi`) for extensions. Its types leave it out. */
interface Extensible {
  _ext(event: "onCreate", extension: (request: ClientRequest, next: () => void) => void): void;
}

/** A call of the client. `common` must be among its options. */
export type AgentCall = (agent: AgentCalls, common: object) => Promise<unknown>;

/**
 * Makes calls to a Consul agent with the npm package `consul`. Every call has a client and a connection of its own, so that
 * replaced certificates and tokens are used, and nothing stays open between two beats.
 */
export class AgentClient {
  readonly #settings: ConsulRegistrarSettings;
  readonly #clock: Clock;
  readonly #weight: number | undefined;
  readonly #peer: HttpPeer;

  /** `weight` is that of the member; the client cannot pass it. */
  constructor(settings: ConsulRegistrarSettings, clock: Clock, weight: number | undefined) {
    const { origin } = new URL(settings.address);
    this.#settings = settings;
    this.#clock = clock;
    this.#weight = weight;
    this.#peer = { name: `the Consul agent at ${origin}`, details: { address: origin } };
  }

  /**
   * Resolves with the body of the response. Rejects with a `ProvisioningError`, or with the reason of the signal. Leaves no
   * connection open.
   */
  async call(work: AgentCall, signal: AbortSignal): Promise<unknown> {
    const { address, tls } = this.#settings;
    const isTls = address.startsWith("https:");
    const token = await this.#readToken(signal);
    const material = isTls ? await readTlsFiles(tls, signal) : undefined;
    const { default: Client } = await import("consul");
    throwIfAborted(signal);
    // The client cancels a request when its context emits this event.
    const context = new EventEmitter();
    const cancel = (): void => void context.emit("cancel");
    try {
      using guard = createGuardedAgent({ tls: material, onClose: cancel });
      try {
        const client = this.#create(Client, guard.agent);
        using _ = whenAborted(signal, cancel);
        const extra = { ctx: Object.assign(context, { includeResponse: true }) };
        const result: unknown = await work(client.agent, { ...extra, ...(token !== undefined && { token }) });
        return this.#read(result);
      } catch (error) {
        throw guard.failure ?? error;
      }
    } catch (error) {
      throwIfAborted(signal);
      throw toAgentError(error, this.#peer, this.#clock.now());
    }
  }

  /** With `includeResponse`, the client resolves with the response and the body. */
  #read(result: unknown): unknown {
    const [response, body]: readonly unknown[] = Array.isArray(result) ? result : [result];
    if (!isComplete(response)) throw toCutOff(this.#peer);
    const type = textOf(Reflect.get(Object(response), "headers"), "content-type") ?? "";
    if (!type.startsWith("text/html")) return body;
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `the response from ${this.#peer.name} is a web page; it may come from another kind of server or from an intermediary`,
      { details: this.#peer.details },
    );
  }

  #create(
    Client: typeof Consul,
    agent: NonNullable<ConstructorParameters<typeof Consul>[0]>["agent"],
  ): Consul {
    const { address, partition } = this.#settings;
    const { hostname, port, protocol } = new URL(address);
    const secure = protocol === "https:";
    const client = new Client({
      host: hostname,
      port: Number(port) || (secure ? 443 : 80),
      secure,
      ...(agent !== undefined && { agent }),
      ...(partition !== undefined && { defaults: { partition } }),
    });
    this.#extend(client);
    return client;
  }

  /** Adds what the client drops: the weight of a service, and the namespace of every call. */
  #extend(client: Consul): void {
    const { namespace } = this.#settings;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of the client lack the part of papi
    const extensible = client as unknown as Extensible;
    // oxlint-disable-next-line no-underscore-dangle -- papi documents this name
    extensible._ext("onCreate", ({ opts }, next) => {
      if (opts.name === "agent.service.register" && this.#weight !== undefined && opts.body !== undefined)
        Object.assign(opts.body, { Weights: { Passing: this.#weight, Warning: 1 } });
      if (namespace !== undefined) opts.query = { ...opts.query, ns: namespace };
      next();
    });
  }

  async #readToken(signal: AbortSignal): Promise<string | undefined> {
    const { token } = this.#settings;
    if (token === undefined) return undefined;
    const text = await resolveSecret(token, { signal });
    try {
      process.getBuiltinModule("node:http").validateHeaderValue("x-consul-token", text);
      return text;
    } catch {
      const name = "env" in token ? `the environment variable "${token.env}"` : `the file "${token.file}"`;
      throw new ProvisioningError(
        "CONNECTIVITY_SECRET_UNAVAILABLE",
        `${name} does not contain a token: it contains characters that are not allowed in a header`,
        { details: { ...token } },
      );
    }
  }
}
