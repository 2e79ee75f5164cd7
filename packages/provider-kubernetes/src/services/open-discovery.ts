import type { DiscoveryEvent, FoundService } from "@holdfast/core";
import type { DiscoveryEnvironment, OpenDiscovery } from "@holdfast/core/adapter";
import { SERVICES, type WatchTarget } from "../access/watch-target.ts";
import type { KubernetesShare } from "../sharing/kubernetes-share.ts";
import type { ServiceDiscoverySettings } from "./discovery-params.ts";
import { SERVICE_FORM } from "./service-form.ts";
import { ServiceView } from "./service-view.ts";

/** Creates the discovery of the Services of a label selector. It uses the connections of the providers of the same `share`. */
export function openDiscovery(
  environment: DiscoveryEnvironment<ServiceDiscoverySettings>,
  share: KubernetesShare,
): OpenDiscovery {
  const { params, clock, random, heartbeatMs } = environment;
  const cluster = share.lease(params, clock);
  const watch = cluster.value.watch(toTarget(params), SERVICE_FORM, random);
  /** The losses of data that have been reported. */
  let reported = watch.value.losses;
  return {
    async *services({ signal }): AsyncGenerator<DiscoveryEvent, void> {
      const view = new ServiceView();
      let known = reported;
      let shown: readonly FoundService[] | undefined;
      for await (const { isAlive } of watch.value.follow({ view, heartbeatMs, signal })) {
        const { services } = view;
        const { losses } = watch.value;
        const isReset = losses !== known;
        known = losses;
        reported = losses;
        if (services !== shown || isReset) {
          shown = services;
          yield { type: "services", services, ...(isReset && { isReset }) };
        } else if (isAlive) yield { type: "heartbeat" };
      }
    },
    close() {
      watch[Symbol.dispose]();
      cluster[Symbol.dispose]();
    },
  };
}

function toTarget(params: ServiceDiscoverySettings): WatchTarget {
  const { namespace, allNamespaces, selector, pageSize, watchTimeoutMs, maxBytes } = params;
  return {
    resource: SERVICES,
    namespace,
    allNamespaces,
    labelSelector: selector,
    pageSize,
    watchTimeoutMs,
    maxBytes,
  };
}
