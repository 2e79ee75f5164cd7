import { defineAdapter, type DefinedAdapter } from "@holdfast/core/adapter";
import { auditHoldfast } from "./audit-holdfast.ts";
import { holdfastParamsSchema, type HoldfastParams, type HoldfastSettings } from "./holdfast-params.ts";
import { SharedDaemons } from "./shared-daemons.ts";

/**
 * A provider that relays a topology of a Holdfast daemon: `holdfast({ url: "http://10.0.0.5:7420" })`. With a direct backend listed after
 * it, that backend takes over when the daemon fails. All topologies of one daemon share a connection.
 *
 * For a configuration that names the kind `holdfast`, `holdfast.createAdapter({ instance })` gives the adapter. `instance` is the id that
 * the server of this process sends, if it has one: by it, daemons that follow each other in a circle are recognized.
 */
export const holdfast: DefinedAdapter<HoldfastSettings, HoldfastParams> = defineAdapter({
  kind: "holdfast",
  params: holdfastParamsSchema,
  share: () => new SharedDaemons(),
  open({ descriptor, clock, instance }, daemons) {
    const { id, params } = descriptor;
    const { topology } = params;
    const maxStaleMs = params.maxStaleMs === "any" ? Number.POSITIVE_INFINITY : params.maxStaleMs;
    const daemon = daemons.use(params, { clock, instance });
    const { probe, watch } = daemon.streams.topology({ providerId: id, topology, maxStaleMs });
    return {
      probe: ({ signal }) => probe(signal),
      watch: ({ signal }) => watch(signal),
      audit: async () => auditHoldfast(params),
      close: () => daemon[Symbol.dispose](),
    };
  },
});
