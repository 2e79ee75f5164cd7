import { DEFAULT_TOPOLOGY } from "@holdfast/core";
import type { ProvisioningService } from "@holdfast/provisioning";
import type { Registry } from "prom-client";
import type { ServerDirectory } from "../server/server-directory.ts";
import type { ServerView } from "../server/server-view.ts";

/** The only topology of a daemon, as the HTTP server sees it. */
export function toServerDirectory(service: ProvisioningService, metrics: Registry): ServerDirectory {
  const view = toServerView(service);
  return {
    names: () => [DEFAULT_TOPOLOGY],
    find: (name) => (name === DEFAULT_TOPOLOGY ? view : undefined),
    onChange: () => () => undefined,
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
  };
}

function toServerView(service: ProvisioningService): ServerView {
  return {
    log: service.topology,
    isRequired: true,
    providers: () =>
      service.providerHealth().flatMap((report) => {
        const descriptor = service.registry.get(report.providerId)?.descriptor;
        if (descriptor === undefined) return [];
        const { kind, priority, disabled } = descriptor;
        return [{ ...report, kind, priority, disabled }];
      }),
    remoteNodes: () => service.remoteNodes(),
    explain: (nodeId) => service.explain(nodeId),
    via: () => [],
  };
}
