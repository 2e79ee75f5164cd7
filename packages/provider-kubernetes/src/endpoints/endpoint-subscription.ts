import type { MemberSet, SourceEvent } from "@holdfast/core";
import type { AdapterEnvironment } from "@holdfast/core/adapter";
import type { WatchTarget } from "../access/watch-target.ts";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import type { KubernetesShare } from "../sharing/kubernetes-share.ts";
import type { Lease } from "../sharing/lease-map.ts";
import type { SharedCluster } from "../sharing/shared-cluster.ts";
import type { SharedWatch } from "../sharing/shared-watch.ts";
import { ALL_SLICES, SLICES_BY_SERVICE, UNGROUPED_SLICES } from "./slice-form.ts";
import { allSlicesOf, ownSlicesOf } from "./slice-targets.ts";
import { SliceView } from "./slice-view.ts";

/** With `watch: "auto"`, this many Services in a namespace are watched with one watch of the namespace. */
const WIDE_FROM_SERVICES = 4;

export interface EndpointSubscriptionOptions {
  readonly environment: AdapterEnvironment<KubernetesSettings>;
  readonly share: KubernetesShare;
  readonly cluster: SharedCluster;
}

/**
 * The part of a provider that watches. It uses the watch of its Service or of its whole namespace, whichever the parameters and the
 * number of providers require when it first watches, and stays with it.
 */
export class EndpointSubscription implements Disposable {
  readonly #environment: AdapterEnvironment<KubernetesSettings>;
  readonly #share: KubernetesShare;
  readonly #cluster: SharedCluster;
  /** The registration of the Service; absent with a label selector. */
  readonly #registration: Lease<{ readonly services: number }> | undefined;
  #watch: Lease<SharedWatch> | undefined;
  #group = ALL_SLICES;
  /** The view of a watch that has ended. The next watch uses it, so that nodes that have not changed stay the same objects. */
  #idleView: SliceView | undefined;

  constructor({ environment, share, cluster }: EndpointSubscriptionOptions) {
    const { params } = environment.descriptor;
    this.#environment = environment;
    this.#share = share;
    this.#cluster = cluster;
    this.#registration =
      params.service === undefined ? undefined : cluster.register(allSlicesOf(params), params.service);
  }

  /** What the account must be allowed to list and watch. It is the same for all Services of a namespace. */
  get probeTarget(): WatchTarget {
    const { params } = this.#environment.descriptor;
    return params.service === undefined ? ownSlicesOf(params) : allSlicesOf(params);
  }

  async *events(signal: AbortSignal): AsyncGenerator<SourceEvent, void> {
    const { descriptor, heartbeatMs } = this.#environment;
    const { value: watch } = (this.#watch ??= this.#leaseWatch());
    const view = this.#idleView ?? new SliceView(this.#group, descriptor.params, this.#share.readNode);
    this.#idleView = undefined;
    let shown: MemberSet | undefined;
    try {
      for await (const { isAlive, position } of watch.follow({ view, heartbeatMs, signal })) {
        const { members } = view;
        if (members !== shown) {
          yield { type: "snapshot", snapshot: view.toSnapshot(descriptor.id, position) };
          shown = members;
        } else if (isAlive) yield { type: "heartbeat" };
      }
    } finally {
      this.#idleView = view;
    }
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    this.#registration?.[Symbol.dispose]();
  }

  #leaseWatch(): Lease<SharedWatch> {
    const { descriptor, random } = this.#environment;
    const { params } = descriptor;
    if (params.service === undefined || !this.#isWide)
      return this.#cluster.watch(ownSlicesOf(params), UNGROUPED_SLICES, random);
    this.#group = params.service;
    return this.#cluster.watch(allSlicesOf(params), SLICES_BY_SERVICE, random);
  }

  get #isWide(): boolean {
    const { params } = this.#environment.descriptor;
    if (params.watch !== "auto") return params.watch === "namespace";
    const { services } = this.#registration!.value;
    return services >= WIDE_FROM_SERVICES || this.#cluster.hasWatch(allSlicesOf(params));
  }
}
