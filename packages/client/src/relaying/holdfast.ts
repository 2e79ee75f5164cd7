import { defineAdapter, resolveSecret, type DefinedAdapter } from "@holdfast/core/adapter";
import { DaemonWatcher } from "../mirror/daemon-watcher.ts";
import { holdfastParamsSchema, type HoldfastParams } from "./holdfast-params.ts";
import { HttpTransport } from "./http-transport.ts";

/**
 * A provider that relays the topology of a Holdfast daemon: `holdfast({ url: "http://10.0.0.5:7420" })`. With a direct backend listed
 * after it, that backend takes over when the daemon fails. For a configuration that names the kind `holdfast`,
 * `holdfast.createAdapter()` gives the adapter.
 */
export const holdfast: DefinedAdapter<HoldfastParams, HoldfastParams> = defineAdapter({
  kind: "holdfast",
  params: holdfastParamsSchema,
  open({ descriptor, clock }) {
    const { id, params } = descriptor;
    const { url, token, tls } = params;
    const transport = new HttpTransport({ clock, tls });
    const source = {
      url,
      providerId: id,
      clock,
      transport: transport.open,
      token: token && ((signal: AbortSignal) => resolveSecret(token, { signal })),
    };
    const watcher = new DaemonWatcher(source);
    return {
      probe: ({ signal }) => watcher.probe(signal),
      watch: ({ signal }) => watcher.watch(signal),
      close: () => transport[Symbol.dispose](),
    };
  },
});
