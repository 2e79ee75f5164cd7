import { defineAdapter, resolveSecret, type DefinedAdapter } from "@holdfast/core/adapter";
import { auditHoldfast } from "./audit-holdfast.ts";
import { DaemonWatcher } from "../mirror/daemon-watcher.ts";
import { holdfastParamsSchema, type HoldfastParams, type HoldfastSettings } from "./holdfast-params.ts";
import { httpTransport } from "./http-transport.ts";

/**
 * A provider that relays the topology of a Holdfast daemon: `holdfast({ url: "http://10.0.0.5:7420" })`. With a direct backend listed
 * after it, that backend takes over when the daemon fails. For a configuration that names the kind `holdfast`,
 * `holdfast.createAdapter({ instance })` gives the adapter. `instance` is the id that the server of this process sends, if it has one: by
 * it, daemons that follow each other in a circle are recognized.
 */
export const holdfast: DefinedAdapter<HoldfastSettings, HoldfastParams> = defineAdapter({
  kind: "holdfast",
  params: holdfastParamsSchema,
  open({ descriptor, clock, instance }) {
    const { id, params } = descriptor;
    const { url, topology, token, tls } = params;
    const maxStaleMs = params.maxStaleMs === "any" ? Number.POSITIVE_INFINITY : params.maxStaleMs;
    const transport = httpTransport({ clock, tls });
    const source = {
      url,
      clock,
      transport,
      token: token && ((signal: AbortSignal) => resolveSecret(token, { signal })),
    };
    const watcher = new DaemonWatcher({ source, providerId: id, topology, instance, maxStaleMs });
    return {
      probe: ({ signal }) => watcher.probe(signal),
      watch: ({ signal }) => watcher.watch(signal),
      audit: async () => auditHoldfast(params),
      close: () => transport[Symbol.dispose](),
    };
  },
});
