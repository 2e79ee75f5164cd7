import type { ProviderContext } from "@holdfast/core";
import type { Consistency, ConsulSettings } from "../consul-params.ts";
import type { ConsulResponse, ConsulSource } from "../http/consul-client.ts";
import { assertMayRead, assertUnfiltered } from "./acl-check.ts";
import { HealthBody, type HealthContent } from "./health-body.ts";
import { toHealthPath, toIndexCheckPath } from "./health-query.ts";
import type { BlockingPosition, WatchedQuery } from "./watched-query.ts";

export interface ServiceQueryOptions {
  readonly params: ConsulSettings;
  readonly context: ProviderContext;
  readonly client: ConsulSource;
  readonly signal: AbortSignal;
}

/** The query of the health API for the instances of one service. */
export class ServiceQuery implements WatchedQuery<HealthContent> {
  readonly details: Readonly<Record<string, unknown>>;
  readonly #options: ServiceQueryOptions;
  readonly #body: HealthBody;

  constructor(options: ServiceQueryOptions) {
    const { params, context } = options;
    this.#options = options;
    this.details = { service: params.service };
    this.#body = new HealthBody(params, context.clock);
  }

  toPath(consistency: Consistency, position: BlockingPosition): string {
    return toHealthPath(this.#options.params, consistency, position);
  }

  toCheckPath(consistency: Consistency, position: BlockingPosition): string {
    return toIndexCheckPath(this.#options.params, consistency, position);
  }

  async assertComplete(response: ConsulResponse): Promise<void> {
    assertUnfiltered(response, this.#options.params);
  }

  read({ body }: ConsulResponse): Promise<HealthContent | "same"> {
    return this.#body.read(body, this.#options.signal);
  }

  async assertPermitted(): Promise<void> {
    const { params, context, client, signal } = this.#options;
    if (!this.#body.isEmpty) return;
    await assertMayRead({ client, params, withinMs: context.heartbeatMs * 2, signal });
  }
}
