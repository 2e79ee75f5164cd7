import type { ProvisioningService } from "@holdfast/provisioning";
import type { Registry } from "prom-client";
import type { ServerView } from "../server/server-view.ts";

/** The part of the service that the HTTP server uses. */
export function toServerView(service: ProvisioningService, metrics: Registry): ServerView {
  return {
    log: service.topology,
    providers: () =>
      service.providerHealth().flatMap((report) => {
        const descriptor = service.registry.get(report.providerId)?.descriptor;
        if (descriptor === undefined) return [];
        const { kind, priority, disabled } = descriptor;
        return [{ ...report, kind, priority, disabled }];
      }),
    remoteNodes: () => service.remoteNodes(),
    explain: (nodeId) => service.explain(nodeId),
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
  };
}
