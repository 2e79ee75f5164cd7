import type { Clock, Random, Reason } from "@holdfast/core";
import type { AccessSettings } from "../access/access-settings.ts";
import type { ApiSource } from "../access/api-client.ts";
import { auditAccess } from "../access/audit-access.ts";
import { probeCluster } from "../access/probe-cluster.ts";
import { SharedCall } from "../access/shared-call.ts";
import type { WatchTarget } from "../access/watch-target.ts";
import { LeaseMap, type Lease } from "./lease-map.ts";
import type { ObjectForm } from "./object-cache.ts";
import { SharedWatch } from "./shared-watch.ts";

export type ClusterClient = ApiSource & Disposable;

export interface SharedClusterOptions {
  readonly settings: AccessSettings;
  readonly clock: Clock;
  readonly createClient: () => ClusterClient;
}

export interface ProbeOptions {
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** What the providers and discoveries with the same access to a cluster share: connections, credentials, watches and probes. */
export class SharedCluster implements Disposable {
  readonly #options: SharedClusterOptions;
  readonly #client: ClusterClient;
  readonly #watches = new LeaseMap<SharedWatch>();
  readonly #services = new LeaseMap<LeaseMap<undefined>>();
  readonly #probes = new LeaseMap<SharedCall<void>>();
  readonly #audit: SharedCall<readonly Reason[]>;

  constructor(options: SharedClusterOptions) {
    const { settings, createClient } = options;
    this.#options = options;
    this.#client = createClient();
    this.#audit = new SharedCall((signal) => auditAccess(settings, signal));
  }

  /** Leases the watch of a target. All users of equal targets get the same watch. */
  watch(target: WatchTarget, form: ObjectForm, random: Random): Lease<SharedWatch> {
    const { clock } = this.#options;
    const key = keyOf(target);
    const isShared = () => this.#watches.countUsers(key) > 1;
    const client = this.#client;
    return this.#watches.lease(key, () => new SharedWatch({ target, client, form, clock, random, isShared }));
  }

  /** True while the watch of a target has users. */
  hasWatch(target: WatchTarget): boolean {
    return this.#watches.countUsers(keyOf(target)) > 0;
  }

  /** Records that a provider reports a Service of a target. The value is the number of such Services. */
  register(target: WatchTarget, service: string): Lease<{ readonly services: number }> {
    const all = this.#services.lease(keyOf(target), () => new LeaseMap());
    const one = all.value.lease(service, () => undefined);
    return {
      value: {
        get services() {
          return all.value.size;
        },
      },
      [Symbol.dispose]() {
        one[Symbol.dispose]();
        all[Symbol.dispose]();
      },
    };
  }

  /**
   * Checks that this account may list and watch the target. Callers that probe the same target at the same time share a probe, because
   * a process with many providers probes all of them at once.
   */
  async probe(target: WatchTarget, { withinMs, signal }: ProbeOptions): Promise<void> {
    const { createClient } = this.#options;
    using lease = this.#probes.lease(
      keyOf(target),
      () =>
        new SharedCall(async (shared) => {
          // Uses a separate client, so that the connections of the probe are closed when it ends.
          using client = createClient();
          await probeCluster({ client, target, withinMs, signal: shared });
        }),
    );
    await lease.value.run(signal);
  }

  /** Lists the settings that weaken security. Reads the kubeconfig. */
  audit(signal: AbortSignal): Promise<readonly Reason[]> {
    return this.#audit.run(signal);
  }

  /** Closes every connection. */
  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

function keyOf({ resource, ...rest }: WatchTarget): string {
  const { namespace, allNamespaces, labelSelector, pageSize, watchTimeoutMs, maxBytes } = rest;
  return JSON.stringify([
    resource.plural,
    namespace ?? null,
    allNamespaces,
    labelSelector ?? null,
    pageSize,
    watchTimeoutMs,
    maxBytes,
  ]);
}
