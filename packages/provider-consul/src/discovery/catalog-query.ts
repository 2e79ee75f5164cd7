import { ProvisioningError, type ProviderContext } from "@holdfast/core";
import { parseJson } from "@holdfast/core/adapter";
import type { Consistency } from "../consul-params.ts";
import type { ConsulResponse, ConsulSource } from "../http/consul-client.ts";
import { authorizeRead, isFiltered } from "../watch/acl-check.ts";
import { setScope } from "../watch/health-query.ts";
import { setPosition, type BlockingPosition, type WatchedQuery } from "../watch/watched-query.ts";
import type { DiscoverySettings } from "./discovery-params.ts";

export interface CatalogQueryOptions {
  readonly settings: DiscoverySettings;
  readonly context: ProviderContext;
  readonly client: ConsulSource;
  readonly signal: AbortSignal;
}

/** The number of services in the catalog of one datacenter; with more, the response is rejected. */
const MAX_SERVICES = 100_000;

/**
 * The query of the catalog for the names of the services with a tag, sorted. There is no smaller query with the same index, so
 * an index check requests the complete list.
 */
export class CatalogQuery implements WatchedQuery<readonly string[]> {
  readonly details: Readonly<Record<string, unknown>>;
  readonly #options: CatalogQueryOptions;
  #names: readonly string[] | undefined;
  /** True when the last list lacks a service of the list before, or has no services. */
  #hasLost = false;

  constructor(options: CatalogQueryOptions) {
    const { tag, prefix } = options.settings;
    this.#options = options;
    this.details = { tag, ...(prefix !== "" && { prefix }) };
  }

  toPath(consistency: Consistency, position: BlockingPosition): string {
    const query = new URLSearchParams();
    if (consistency !== "default") query.set(consistency, "");
    setScope(query, this.#options.settings);
    setPosition(query, position);
    const text = query.toString();
    return `/v1/catalog/services${text === "" ? "" : `?${text}`}`;
  }

  toCheckPath(consistency: Consistency, position: BlockingPosition): string {
    return this.toPath(consistency, position);
  }

  async assertComplete(response: ConsulResponse): Promise<void> {
    // The token need not be able to read services with other names.
    if (isFiltered(response)) await this.#assertMayReadAll(response.address);
  }

  async read({ body }: ConsulResponse): Promise<readonly string[] | "same"> {
    const previous = this.#names;
    const names = toNames(body, this.#options.settings);
    this.#names = names;
    if (previous === undefined) this.#hasLost = true;
    else {
      const listed = new Set(names);
      this.#hasLost = names.length === 0 || previous.some((each) => !listed.has(each));
      if (!this.#hasLost && names.length === previous.length) return "same";
    }
    return names;
  }

  async assertPermitted(): Promise<void> {
    // Consul leaves out services that the token may not read, and before 1.11 it does not say so.
    if (this.#hasLost) await this.#assertMayReadAll();
  }

  async #assertMayReadAll(filteredBy?: string): Promise<void> {
    const { settings, context, client, signal } = this.#options;
    const withinMs = context.heartbeatMs * 2;
    const authorized = await authorizeRead(
      { client, withinMs, signal },
      { scope: settings, segment: settings.prefix },
    );
    const address = authorized?.address ?? filteredBy;
    if (address === undefined || authorized?.isAllowed === true) return;
    const { prefix } = settings;
    const which = prefix === "" ? "all services" : `all services whose names begin with "${prefix}"`;
    throw new ProvisioningError(
      "CONNECTIVITY_UNAUTHORIZED",
      `the token may not read ${which}: Consul at ${address} leaves out those that the token may not read`,
      { details: { address, status: 200 } },
    );
  }
}

function toNames(body: Buffer, { tag, prefix }: DiscoverySettings): readonly string[] {
  const catalog = parseJson(body.toString());
  if (typeof catalog !== "object" || catalog === null || Array.isArray(catalog))
    throw new ProvisioningError("STREAM_INVALID_DATA", "the response from Consul is not a list of services", {
      details: { bytes: body.length },
    });
  const services = Object.entries(catalog);
  if (services.length > MAX_SERVICES)
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `the response from Consul has more than ${MAX_SERVICES} services`,
      { details: { maxServices: MAX_SERVICES } },
    );
  const found = services.filter(
    ([service, tags]) => service.startsWith(prefix) && Array.isArray(tags) && tags.includes(tag),
  );
  return found.map(([service]) => service).toSorted();
}
