import { isProvisioningError, ProvisioningError, type Reason } from "@holdfast/core";
import {
  isThisMachine,
  textOf,
  type OpenRegistration,
  type RegistrarEnvironment,
} from "@holdfast/core/adapter";
import { AgentClient } from "./agent-client.ts";
import type { ConsulRegistrarSettings } from "./consul-registrar-params.ts";
import { findProblems } from "./find-problems.ts";

interface CallOptions {
  readonly signal: AbortSignal;
}

/** The reason in Consul for the maintenance mode of a drain. Distinguishes it from that of an operator. */
const DRAINING = "holdfast: draining";

/** The ids of the checks of all registrars, so that one with another kind of check finds the old one. */
const CHECK_PREFIXES = ["holdfast:ttl:", "holdfast:http:"] as const;

/** The instance of this process at one Consul agent. */
export class ConsulRegistration implements OpenRegistration {
  readonly beatMs: number;
  readonly ttlMs: number | undefined;
  readonly #environment: RegistrarEnvironment<ConsulRegistrarSettings>;
  readonly #client: AgentClient;
  readonly #id: string;
  readonly #checkId: string;
  readonly #peerName: string;

  constructor(environment: RegistrarEnvironment<ConsulRegistrarSettings>) {
    const { params, self, clock } = environment;
    const problems = findProblems(self, params);
    const [first] = problems;
    if (first !== undefined) {
      const message = `Consul cannot hold the member: ${first.path} is ${first.got}, expected ${first.expected}`;
      throw new ProvisioningError("VALIDATION_MALFORMED", message, { details: { problems } });
    }
    const { check, ttlMs } = params;
    this.#environment = environment;
    this.#client = new AgentClient(params, clock, self.weight);
    this.#id = self.id;
    this.#peerName = `the Consul agent at ${params.address}`;
    this.#checkId = `${CHECK_PREFIXES[check === undefined ? 0 : 1]}${self.id}`;
    this.ttlMs = check === undefined ? ttlMs : undefined;
    this.beatMs = check === undefined ? ttlMs / 3 : check.intervalMs;
  }

  /** Registers the service, also when it is registered already: the state of its check is then kept. */
  async register({ signal }: CallOptions): Promise<void> {
    const before = await this.#listChecks(signal);
    const service = this.#toService();
    await this.#client.call((agent, common) => agent.service.register({ ...service, ...common }), signal);
    if (this.ttlMs !== undefined) await this.#pass(signal);
    for (const id of CHECK_PREFIXES.map((prefix) => prefix + this.#id))
      if (id !== this.#checkId && before.has(id))
        await this.#client.call((agent, common) => agent.check.deregister({ id, ...common }), signal);
    // The maintenance mode of an operator stays. Ours ends last, so that the instance is not in use before its check passes.
    const notes = textOf(before.get(`_service_maintenance:${this.#id}`), "Notes");
    if (notes === DRAINING) await this.#setMaintenance(false, signal);
  }

  /** Tells the agent that this process lives; with an HTTP check, only asks whether the agent still has the check. */
  async beat({ signal }: CallOptions): Promise<void> {
    if (this.ttlMs !== undefined) {
      await this.#pass(signal);
    } else if (!(await this.#listChecks(signal)).has(this.#checkId)) {
      throw new ProvisioningError(
        "LIFECYCLE_REGISTRATION_LOST",
        `${this.#peerName} no longer has the check of this process`,
        { details: { address: this.#environment.params.address } },
      );
    }
  }

  drain({ signal }: CallOptions): Promise<void> {
    return this.#setMaintenance(true, signal);
  }

  async leave({ signal }: CallOptions): Promise<void> {
    const id = this.#id;
    try {
      await this.#client.call((agent, common) => agent.service.deregister({ id, ...common }), signal);
    } catch (error) {
      // Newer agents report an instance that they do not have.
      if (!isProvisioningError(error) || error.code !== "LIFECYCLE_REGISTRATION_LOST") throw error;
    }
  }

  audit(): readonly Reason[] {
    const { address, token } = this.#environment.params;
    const { protocol, hostname, origin } = new URL(address);
    const host = hostname.replace(/^\[|\]$/g, "");
    if (token === undefined || protocol === "https:" || isThisMachine(host)) return [];
    return [
      {
        code: "CONNECTIVITY_INSECURE",
        message: `the token is sent to ${origin} without TLS, so others on the network can read it; use https`,
        details: { address: origin, parameter: "address" },
      },
    ];
  }

  async #pass(signal: AbortSignal): Promise<void> {
    await this.#client.call((agent, common) => agent.check.pass({ id: this.#checkId, ...common }), signal);
  }

  async #setMaintenance(enable: boolean, signal: AbortSignal): Promise<void> {
    const id = this.#id;
    await this.#client.call(
      (agent, common) => agent.service.maintenance({ id, enable, reason: DRAINING, ...common }),
      signal,
    );
  }

  /** Returns the checks of this service that the agent has, by their ids. */
  async #listChecks(signal: AbortSignal): Promise<ReadonlyMap<string, unknown>> {
    // A filter has no escapes for quotes.
    const quoted = this.#id.includes('"') ? `\`${this.#id}\`` : JSON.stringify(this.#id);
    const filter = `ServiceID == ${quoted}`;
    const list = await this.#client.call((agent, common) => agent.check.list({ filter, ...common }), signal);
    if (typeof list === "object" && list !== null && !Array.isArray(list))
      return new Map(Object.entries(list));
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `the list of checks of ${this.#peerName} is not an object`,
    );
  }

  #toService(): object {
    const { self, params } = this.#environment;
    const { service, check, ttlMs, deregisterAfterMs, zoneMeta } = params;
    const { id, host, port, zone, tags, metadata } = self;
    return {
      name: service,
      id,
      address: host,
      port,
      tags: [...tags],
      meta: { ...metadata, ...(zone !== undefined && { [zoneMeta]: zone }) },
      check: {
        name: "announced by the process itself",
        checkid: this.#checkId,
        deregistercriticalserviceafter: `${deregisterAfterMs}ms`,
        ...(check === undefined
          ? { ttl: `${ttlMs}ms` }
          : { http: check.http, interval: `${check.intervalMs}ms`, timeout: `${check.timeoutMs}ms` }),
      },
    };
  }
}
