import type { Directory, Topology } from "holdfast";
import type { Registry } from "prom-client";
import type { ServerDirectory } from "../server/server-directory.ts";
import type { ServerView } from "../server/server-view.ts";

/** The topologies of a directory, as the HTTP server sees them. */
export function toServerDirectory(directory: Directory, metrics: Registry): ServerDirectory {
  // The server keeps what it has encoded for a view, so a topology must always have the same one.
  const views = new WeakMap<Topology, ServerView>();
  return {
    names: () => directory.names(),
    isComplete: () => directory.isComplete,
    find(name) {
      const topology = directory.find(name);
      if (topology === undefined) return undefined;
      const view = views.get(topology) ?? toServerView(topology);
      views.set(topology, view);
      return view;
    },
    onChange: (listener) => directory.onChange(listener),
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
  };
}

function toServerView({ service, isRequired }: Topology): ServerView {
  return {
    log: service.topology,
    isRequired,
    providers: () =>
      service.providerHealth().flatMap((report) => {
        const descriptor = service.registry.get(report.providerId)?.descriptor;
        if (descriptor === undefined) return [];
        const { kind, priority, disabled } = descriptor;
        return [{ ...report, kind, priority, disabled }];
      }),
    remoteNodes: () => service.remoteNodes(),
    explain: (nodeId) => service.explain(nodeId),
    via: () => service.topology.state.snapshot?.via ?? [],
  };
}
